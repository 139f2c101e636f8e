// The stages of the preprocessing on the visitor's own ink. The model file does the preprocessing; the stages from the
// third on are computed from its answer.

import { html, track } from "../base/markup.js";
import { byId } from "../base/dom.js";
import { chance } from "../base/figures.js";
import { GridCursor, paintGrey, wipe } from "../base/grid.js";
import { FIT, GRID, bytesOf, centreOfMass, cropOf, fitOf, inkOf, isLight, shiftOf } from "../base/pixels.js";
import { sourceOf } from "./source.js";
import { shiftText } from "./sentences.js";
import * as resized from "./resized.js";

/** @typedef {import("./source.js").Source} Source */

const STAGES = ["drawing", "polarity", "box", "fit", "mass", "tensor"];

/** The stages whose removal was measured. */
const MEASURED = ["polarity", "box", "fit", "mass"];

const EMPTY = "–";

const canvases = Object.fromEntries(STAGES.map((stage) => [stage, byId(`${stage}-canvas`, HTMLCanvasElement)]));
const marks = {
  box: svgById("box-mark"),
  fit: svgById("fit-mark"),
  mass: svgById("mass-mark"),
  before: svgById("mass-before"),
  cursor: svgById("tensor-cursor"),
};

/** @type {{answer: Answer, drawing: Drawing} | null} */
let newest = null;
let isInView = false;
let isPainting = false;
/** @type {Uint8Array | null} */
let tensor = null;

const cursor = new GridCursor(canvases.tensor, "Values of the tensor", GRID, { move: readPixel, leave: forgetPixel });
new IntersectionObserver((entries) => {
  isInView = entries.some((entry) => entry.isIntersecting);
  paintSoon();
}).observe(byId("steps"));
resized.onToggle(paintSoon);
showBlank();

export const section = "steps";
/** @type {(keyof Card)[]} */
export const needs = ["evaluation"];

/** @param {Card} card */
export function showCard({ evaluation: { steps } }) {
  resized.showCard(steps);
  if (!steps.all) { // trained and tested without pen strokes
    for (const stage of [...MEASURED, "tensor"]) byId(`${stage}-cost`).replaceChildren();
    byId("steps-note").textContent = "";
    return;
  }
  for (const stage of MEASURED) showAccuracy(stage, steps[stage], `right without it: ${steps[stage].label}`);
  showAccuracy("tensor", steps.all, "right with all steps");
  const { label, accuracy } = steps.aspect;
  byId("steps-note").textContent =
    "Right answers are counted on pen strokes of writers that the model never saw, with one step left out at a time. " +
    `With ${label} in the fit, ${chance(accuracy)} are right.`;
}

/**
 * @param {Answer} answer
 * @param {Drawing} drawing
 */
export function showAnswer(answer, drawing) {
  newest = { answer, drawing };
  paintSoon();
}

export function showBlank() {
  newest = null;
  showStages(null, null);
  resized.showBlank();
}

/** Ask again for a comparison that failed. */
export const showBack = paintSoon;

/** Paint at most once per frame, and only while the stages are in view. */
function paintSoon() {
  if (!newest || !isInView || isPainting) return;
  isPainting = true;
  requestAnimationFrame(async () => {
    const shown = newest;
    const source = shown && (await sourceOf(shown.drawing));
    isPainting = false;
    if (!shown || !newest) return;
    showStages(source, shown.answer);
    if (!shown.drawing.isDrawing) resized.show(source, shown.answer);
    if (newest !== shown) paintSoon();
  });
}

/**
 * @param {Source | null} source
 * @param {Answer | null} answer
 */
function showStages(source, answer) {
  showSource(source, answer);
  const hasInk = answer !== null && answer.box !== null;
  for (const mark of Object.values(marks)) mark.toggleAttribute("hidden", !hasInk);
  forgetPixel();
  tensor = null;
  if (answer?.box) {
    showInk(source, answer, answer.box);
    cursor.refresh();
  } else {
    for (const stage of ["fit", "mass", "tensor"]) wipe(canvases[stage]);
    for (const stage of ["box", "fit", "mass", "tensor"]) showFact(stage, answer ? "No ink found" : EMPTY);
  }
}

/**
 * @param {Source | null} source
 * @param {Answer | null} answer
 */
function showSource(source, answer) {
  if (source) {
    const { grey, width, height, colours } = source;
    if (colours) paintColours(canvases.drawing, colours);
    else paintGrey(canvases.drawing, grey, width);
    const ink = inkOf(grey, width, height);
    for (const stage of ["polarity", "box"]) paintGrey(canvases[stage], ink, width);
    const { zoom } = source.view;
    if (colours) showFact("drawing", answer ? `${answer.width} × ${answer.height} px` : "");
    else showFact("drawing", `${width} × ${height} px${zoom > 1 ? `, ${zoom.toFixed(1)} times as large` : ""}`);
    showFact("polarity", isLight(grey, width, height) ? "Light paper: inverted" : "Dark ground: kept");
  } else {
    for (const stage of ["drawing", "polarity", "box"]) wipe(canvases[stage]);
    for (const stage of ["drawing", "polarity"]) showFact(stage, answer ? "This browser cannot show it" : EMPTY);
  }
}

/**
 * @param {Source | null} source
 * @param {Answer} answer
 * @param {Box} box
 */
function showInk(source, answer, box) {
  tensor = bytesOf(answer.normalized);
  const { zoom, left, top } = source?.view ?? { zoom: 1, left: 0, top: 0 };
  const [width, height] = [box.right - box.left, box.bottom - box.top].map((side) => side * zoom);
  marks.box.ownerSVGElement?.setAttribute("viewBox", `0 0 ${source?.width ?? 1} ${source?.height ?? 1}`);
  place(marks.box, { left: box.left * zoom + left, top: box.top * zoom + top, width, height });
  showFact("box", `${Math.round(width / zoom)} × ${Math.round(height / zoom)} px of ink`);

  const crop = cropOf(tensor, box);
  paintGrey(canvases.fit, fitOf(tensor, crop), FIT);
  place(marks.fit, { ...crop, left: (FIT - crop.width) >> 1, top: (FIT - crop.height) >> 1 });
  showFact("fit", `${crop.width} × ${crop.height} px`);

  const centre = centreOfMass(tensor);
  const shift = shiftOf(crop);
  paintGrey(canvases.mass, tensor, GRID);
  marks.mass.setAttribute("cx", String(centre.x));
  marks.mass.setAttribute("cy", String(centre.y));
  place(marks.before, { ...crop, left: crop.left - shift.right, top: crop.top - shift.down });
  showFact("mass", shiftText(shift));

  paintGrey(canvases.tensor, tensor, GRID);
}

/**
 * @param {number} x
 * @param {number} y
 * @returns {string} the value of the pixel, in words
 */
function readPixel(x, y) {
  if (!tensor) return EMPTY;
  marks.cursor.removeAttribute("hidden");
  marks.cursor.setAttribute("x", String(x));
  marks.cursor.setAttribute("y", String(y));
  const words = `row ${y + 1}, column ${x + 1}: ${tensor[y * GRID + x]}`;
  showFact("tensor", words);
  return words;
}

function forgetPixel() {
  marks.cursor.toggleAttribute("hidden", true);
  if (newest?.answer.box) showFact("tensor", `${GRID} × ${GRID} values`);
}

/**
 * @param {string} stage
 * @param {string} fact
 */
function showFact(stage, fact) {
  byId(`${stage}-fact`).textContent = fact;
}

/**
 * @param {SVGElement} rect
 * @param {import("../base/pixels.js").Crop} where
 */
function place(rect, { left, top, width, height }) {
  for (const [name, value] of Object.entries({ x: left, y: top, width, height })) rect.setAttribute(name, String(value));
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ImageData} colours
 */
function paintColours(canvas, colours) {
  canvas.width = colours.width;
  canvas.height = colours.height;
  canvas.getContext("2d")?.putImageData(colours, 0, 0);
}

/**
 * @param {string} stage
 * @param {StepAccuracy} step
 * @param {string} words meaning of the figure
 */
function showAccuracy(stage, { accuracy }, words) {
  byId(`${stage}-cost`).replaceChildren(html("strong", {}, chance(accuracy)), track(accuracy), words);
}

/**
 * @param {string} id
 * @returns {SVGElement}
 */
function svgById(id) {
  return /** @type {SVGElement} */ (/** @type {unknown} */ (document.getElementById(id)));
}
