// Everything that the page shows beside the ink: pure output, from the service's answers to the elements.

const NAMES = ["Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];

/** Side in pixels of what the network sees. */
const SEEN_SIDE = 28;

const element = Object.fromEntries([...document.querySelectorAll("[id]")].map((node) => [node.id, node]));
const bars = NAMES.map((_, digit) => addBar(digit));

/** Shows which model answers, in the figures of its own card. */
export function showCard({ version, data, metrics }) {
  const facts = [`model ${version}`];
  if (data?.title) facts.push(`trained on ${data.title}`);
  if (metrics?.test_accuracy) facts.push(`reads ${formatPercent(metrics.test_accuracy)} of unseen MNIST digits`);
  if (metrics?.strokes_accuracy) facts.push(`${formatPercent(metrics.strokes_accuracy)} of unseen writers' pen strokes`);
  showModelState("ready", facts.join(" · "));
}

/** Says that the card is asked for. */
export function showCardLoading() {
  showModelState("loading", "Asking the service for its model…");
}

/** Says why there is no card, and offers to ask again. */
export function showCardError(error) {
  showModelState("down", error.message);
}

/** The state before anything is drawn. */
export function showBlank() {
  showVerdict("blank", "", "Nothing drawn yet", "The answer appears as you draw.");
  showBars({ digit: null, alternatives: [] });
  element.seen.getContext("2d").clearRect(0, 0, SEEN_SIDE, SEEN_SIDE);
  element["box-story"].textContent = "Your ink, cut out, scaled and centred.";
  element.latency.textContent = "";
}

/** The state between giving an image and its answer. */
export function showReading() {
  showVerdict("reading", "", "Reading the image…", "");
}

/** Shows an answer of POST /api/predict, with the two durations that the request added. */
export function showAnswer(answer) {
  VERDICTS[answer.state](answer);
  showBars(answer);
  showSeen(Uint8Array.from(atob(answer.normalized), (byte) => byte.charCodeAt(0)));
  element["box-story"].textContent = tellBox(answer);
  element.latency.textContent = tellLatency(answer);
}

/** Shows why there is no answer; what was answered before would be taken for the answer, so that it goes. */
export function showError(error) {
  showBlank();
  showVerdict("error", "!", "No answer", error.message, error.canRetry);
}

/** Has a screen reader say what the verdict is. */
export function speak() {
  element.speech.textContent = `${element.headline.textContent}. ${element.detail.textContent}`;
}

/** Tells whether the sheet is empty: the hint shows, and there is nothing to undo or to clear. */
export function showSheet({ isBlank }) {
  element.hint.hidden = !isBlank;
  // Not `disabled`: a disabled button loses the keyboard's focus.
  element.undo.ariaDisabled = element.clear.ariaDisabled = String(isBlank);
}

const VERDICTS = {
  blank: () => showVerdict("blank", "", "No ink found", "The image is empty."),
  digit: ({ digit, confidence }) =>
    showVerdict("digit", digit, NAMES[digit], `${formatPercent(confidence)} confident`),
  unsure: ({ alternatives }) => {
    const [first, second] = alternatives.map(({ digit }) => digit);
    const shares = alternatives.map(({ digit, confidence }) => `${formatPercent(confidence)} for ${digit}`);
    showVerdict("unsure", `${first}?`, `${first} or ${second}?`, `Not sure: ${shares.join(", ")}`);
  },
  // No figure: a score just below its threshold may be high, and would read as if it were a digit after all.
  not_a_digit: () => showVerdict("not_a_digit", "×", "That is not a digit", "Inkling reads one digit, 0 to 9."),
};

function showVerdict(state, glyph, headline, detail, canRetry = false) {
  element.answer.dataset.state = state;
  element.glyph.textContent = glyph;
  element.headline.textContent = headline;
  element.detail.textContent = detail;
  element["ask-again"].hidden = !canRetry;
}

function showModelState(state, text) {
  element.model.dataset.state = state;
  element["model-text"].textContent = text;
  element["model-retry"].hidden = state !== "down";
}

function addBar(digit) {
  const row = document.createElement("li");
  const [name, track, fill, share] = Array.from({ length: 4 }, () => document.createElement("span"));
  name.className = "name";
  name.textContent = digit;
  track.className = "track";
  fill.className = "fill";
  share.className = "share";
  track.append(fill);
  row.append(name, track, share);
  element.bars.append(row);
  return { row, fill, share };
}

/** Empty without a digit: the probabilities say which one it is if it is one, and of other ink nothing. */
function showBars({ digit, alternatives, probabilities }) {
  const offered = [digit, ...alternatives.map((each) => each.digit)];
  bars.forEach(({ row, fill, share }, bar) => {
    const value = digit === null ? 0 : probabilities[bar];
    row.classList.toggle("best", offered.includes(bar));
    fill.style.width = `${100 * value}%`;
    share.textContent = digit === null ? "–" : formatPercent(value);
  });
}

/** Paints SEEN_SIDE x SEEN_SIDE levels (255 = ink) white on black, as the network takes them. */
function showSeen(levels) {
  const image = new ImageData(SEEN_SIDE, SEEN_SIDE);
  levels.forEach((level, pixel) => image.data.set([level, level, level, 255], 4 * pixel));
  element.seen.getContext("2d").putImageData(image, 0, 0);
}

function tellBox({ box, width, height }) {
  if (!box) return `No ink in ${width} × ${height} pixels.`;
  const ink = `${Math.round(box.right - box.left)} × ${Math.round(box.bottom - box.top)}`;
  return `Your ink, ${ink} of ${width} × ${height} px, cut out, scaled and centred.`;
}

function tellLatency({ modelMs, roundTripMs }) {
  const roundTrip = `round trip ${formatMs(roundTripMs)}`;
  return modelMs === null ? roundTrip : `model ${formatMs(modelMs)} · ${roundTrip}`;
}

function formatMs(ms) {
  return `${ms.toFixed(ms < 10 ? 1 : 0)}\u00a0ms`;
}

/** A share as a percentage; what is not certain is never rounded up to 100 %. */
function formatPercent(share, maximumFractionDigits = 1) {
  const options = { minimumFractionDigits: 1, maximumFractionDigits };
  const top = 100 - 10 ** -maximumFractionDigits;
  const percent = share < 1 ? Math.min(100 * share, top) : 100;
  return `${percent.toLocaleString("en", options)}\u00a0%`;
}
