// The drawing: pen strokes kept as vectors in a unit square, painted on the screen and rasterised for the service.

/** Side in pixels of the square raster that is sent. */
export const RASTER_SIDE = 280;

/** Pen width as a share of the sheet's side: about a tenth of the height of a digit that fills half the sheet. */
const PEN_WIDTH = 0.06;

/**
 * A sheet to draw on with a mouse, a pen or a finger.
 *
 * A stroke is a list of [x, y] points, 0 to 1 from the sheet's top left corner. The vectors are the only copy of the
 * drawing: undo drops the last one, and a resized window paints them anew.
 */
export class Sheet {
  #canvas;
  #on;
  #strokes = [];
  #pointer = null;
  #painting = false;
  #raster = makeRaster();

  /**
   * @param {HTMLCanvasElement} canvas its CSS `color` is the ink's colour on the screen
   * @param {{start: () => void, ink: () => void}} on `start` runs before a stroke begins, `ink` after every change by the pen
   */
  constructor(canvas, on) {
    this.#canvas = canvas;
    this.#on = on;
    canvas.addEventListener("pointerdown", (event) => this.#penDown(event));
    canvas.addEventListener("pointermove", (event) => this.#penMove(event));
    canvas.addEventListener("pointerup", (event) => this.#penUp(event));
    // The system took the pointer away: what is drawn so far stays.
    canvas.addEventListener("pointercancel", (event) => this.#penUp(event));
    new ResizeObserver(() => this.#paintSoon()).observe(canvas);
    // A zoomed page or another screen changes the pixel ratio, another theme the ink's colour.
    window.addEventListener("resize", () => this.#paintSoon());
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paintSoon());
  }

  /** True when no stroke is on the sheet. */
  get isBlank() {
    return this.#strokes.length === 0;
  }

  /** Copies of the strokes: lists of [x, y], 0 to 1. */
  get strokes() {
    return structuredClone(this.#strokes);
  }

  /** True while the pen is down. */
  get isDrawing() {
    return this.#pointer !== null;
  }

  /** Puts these strokes on the sheet, in place of what is there. */
  show(strokes) {
    this.#pointer = null;
    this.#strokes = [...strokes];
    this.#paintSoon();
  }

  /** Takes the last stroke back, also one that is being drawn. */
  undo() {
    this.#pointer = null;
    this.#strokes.pop();
    this.#paintSoon();
  }

  /** Takes every stroke back. */
  clear() {
    this.show([]);
  }

  /** @returns {Uint8Array} RASTER_SIDE x RASTER_SIDE grey levels, row by row: black ink (0) on white (255) */
  toGrey() {
    const context = this.#raster;
    context.fillStyle = "white";
    context.fillRect(0, 0, RASTER_SIDE, RASTER_SIDE);
    drawStrokes(context, this.#strokes, RASTER_SIDE, "black");
    const rgba = context.getImageData(0, 0, RASTER_SIDE, RASTER_SIDE).data;
    const grey = new Uint8Array(RASTER_SIDE ** 2);
    for (let pixel = 0; pixel < grey.length; pixel += 1) grey[pixel] = rgba[4 * pixel];
    return grey;
  }

  #penDown(event) {
    if (!event.isPrimary || event.button !== 0) return;
    this.#on.start();
    this.#canvas.setPointerCapture(event.pointerId);
    this.#pointer = event.pointerId;
    this.#strokes.push([]);
    this.#addPoints([event]);
  }

  #penMove(event) {
    if (event.pointerId !== this.#pointer) return;
    // The browser folds several moves into one event; without them a fast stroke turns into a polygon.
    const moves = event.getCoalescedEvents?.() ?? [];
    this.#addPoints(moves.length > 0 ? moves : [event]);
  }

  #penUp(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#on.ink();
  }

  #addPoints(events) {
    // Read at each event: the page may have been scrolled or resized since the last one.
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const points = events.map(({ clientX, clientY }) => [(clientX - left) / width, (clientY - top) / height]);
    this.#strokes.at(-1).push(...points);
    this.#paintSoon();
    this.#on.ink();
  }

  #paintSoon() {
    if (this.#painting) return;
    this.#painting = true;
    requestAnimationFrame(() => {
      this.#painting = false;
      this.#paint();
    });
  }

  #paint() {
    const canvas = this.#canvas;
    const side = Math.round(canvas.getBoundingClientRect().width * window.devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, side, side);
    drawStrokes(context, this.#strokes, side, getComputedStyle(canvas).color);
  }
}

/** Draws the strokes on a square of `side` pixels: one routine for the screen and for what is sent, so that both agree. */
function drawStrokes(context, strokes, side, colour) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = PEN_WIDTH * side;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    const points = stroke.map(([x, y]) => [x * side, y * side]);
    if (points.length === 1) drawDot(context, points[0]);
    else drawLine(context, points);
  }
}

/** A line of no length has no caps in canvas, so that a tap needs a disc of its own. */
function drawDot(context, [x, y]) {
  context.beginPath();
  context.arc(x, y, context.lineWidth / 2, 0, 2 * Math.PI);
  context.fill();
}

/** Curves through the midpoints, with the points as handles, hide the corners between two pointer events. */
function drawLine(context, points) {
  context.beginPath();
  context.moveTo(...points[0]);
  for (let i = 1; i < points.length - 1; i += 1) {
    const [x, y] = points[i];
    const [nextX, nextY] = points[i + 1];
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  context.lineTo(...points.at(-1));
  context.stroke();
}

function makeRaster() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = RASTER_SIDE;
  return canvas.getContext("2d", { willReadFrequently: true });
}
