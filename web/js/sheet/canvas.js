// The canvas to draw on: pen input, and painting on the screen.

import { contextOf, drawStrokes } from "./ink.js";
import { History } from "./strokes.js";

/** A finger that moved less rests on the sheet, as a share of its side. */
const RESTING = 0.03;

/** Duration of a replay. */
const REPLAY_MS = 700;

/**
 * A canvas to draw on with a mouse, a pen or a finger. The strokes are the only copy of the drawing: undo and resizing
 * use them.
 */
export class DrawingCanvas {
  #canvas;
  #on;
  #history = new History();
  /** @type {{id: number, type: string, stroke: Stroke} | null} the pointer that draws, and what it has drawn */
  #pen = null;
  /** @type {Stroke[] | null} as much as a replay shows so far */
  #replayed = null;
  #isPaintDue = false;
  #hasPen = false;
  /** @type {((index: number) => string | undefined) | null} */
  #colourOf = null;

  /**
   * @param {HTMLCanvasElement} canvas its CSS `color` is the colour of the ink
   * @param {object} on
   * @param {() => void} on.start runs before a stroke begins
   * @param {() => void} on.ink runs after every change by the pen or a replay
   * @param {() => void} [on.end] runs when the pen is lifted or a replay has ended
   * @param {() => void} [on.pen] runs at the first use of a pen, which disables fingers
   */
  constructor(canvas, on) {
    this.#canvas = canvas;
    this.#on = on;
    canvas.addEventListener("pointerdown", (event) => this.#penDown(event));
    canvas.addEventListener("pointermove", (event) => this.#penMove(event));
    canvas.addEventListener("pointerup", (event) => this.#penUp(event));
    // The system took the pointer, for example for a gesture, so the stroke was not intended.
    canvas.addEventListener("pointercancel", (event) => event.pointerId === this.#pen?.id && this.#penAway());
    new ResizeObserver(() => this.#paintSoon()).observe(canvas);
    // Zoom and another screen change the pixel ratio; the theme changes the colour of the ink.
    window.addEventListener("resize", () => this.#paintSoon());
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paintSoon());
    new MutationObserver(() => this.#paintSoon()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  /** @returns {boolean} */
  get isBlank() {
    return this.#shown.length === 0;
  }

  /** @returns {boolean} whether a part of the drawing is beyond the sheet's edge */
  get isCut() {
    return this.#shown.some((stroke) => stroke.some((point) => point.some((place) => place < 0 || place > 1)));
  }

  /** @returns {Stroke[]} a copy of the strokes */
  get strokes() {
    return structuredClone([...this.#shown]);
  }

  /** @returns {boolean} true while the pen is down or a replay runs */
  get isDrawing() {
    return this.#pen !== null || this.#replayed !== null;
  }

  /** @returns {boolean} */
  get canUndo() {
    return this.#history.canUndo;
  }

  /** @returns {boolean} */
  get canRedo() {
    return this.#history.canRedo;
  }

  /**
   * Replace the drawing.
   *
   * @param {Stroke[]} strokes
   */
  show(strokes) {
    this.#change(() => this.#history.change(strokes));
  }

  /**
   * Replace the drawing, point by point; at once with reduced motion.
   *
   * @param {Stroke[]} strokes
   */
  replay(strokes) {
    this.show(strokes);
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) this.#on.ink();
    else this.#replayFrom(performance.now(), strokes, (this.#replayed = []));
  }

  /** Undo the last step, also an unfinished stroke. */
  undo() {
    this.#change(() => this.#history.undo());
  }

  redo() {
    this.#change(() => this.#history.redo());
  }

  /** Remove every stroke; undo brings them back. */
  clear() {
    if (!this.isBlank) this.show([]);
  }

  /** End an unfinished stroke or replay, and keep the drawing. */
  stop() {
    this.#change(() => {});
  }

  /**
   * Give strokes colours, until the drawing changes.
   *
   * @param {((index: number) => string | undefined) | null} colourOf called at each painting, with a stroke's index
   */
  tint(colourOf) {
    this.#colourOf = colourOf;
    this.#paintSoon();
  }

  /** Enable fingers again, until a pen is used. */
  allowFingers() {
    this.#hasPen = false;
  }

  get #shown() {
    return this.#replayed ?? this.#history.strokes;
  }

  /** @param {() => void} step */
  #change(step) {
    this.#colourOf = null;
    this.#pen = this.#replayed = null;
    step();
    this.#paintSoon();
  }

  /** @param {PointerEvent} event */
  #penDown(event) {
    if (event.button !== 0) return;
    const isPen = event.pointerType === "pen";
    if (event.pointerType === "touch" && this.#hasPen) return;
    if (isPen && !this.#hasPen) {
      this.#hasPen = true;
      this.#on.pen?.();
    }
    if (this.#pen) {
      if (this.#pen.type !== "touch") return;
      // A palm or a thumb touched first, or two fingers mean something else; neither is ink.
      const isResting = extentOf(this.#pen.stroke) < RESTING;
      this.#penAway();
      if (!isPen && !isResting) return;
    }
    this.#on.start();
    this.#replayed = this.#colourOf = null;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#pen = { id: event.pointerId, type: event.pointerType, stroke: [] };
    this.#history.change([...this.#history.strokes, this.#pen.stroke]);
    this.#addPoints(this.#pen.stroke, [event]);
  }

  /** @param {PointerEvent} event */
  #penMove(event) {
    if (event.pointerId !== this.#pen?.id) return;
    // While another button of the mouse is down, its release is not an end for the browser.
    if (!(event.buttons & 1)) return this.#penUp(event);
    // Use all moves that the browser merged into this event, for smooth fast strokes.
    const moves = event.getCoalescedEvents?.() ?? [];
    this.#addPoints(this.#pen.stroke, moves.length > 0 ? moves : [event]);
  }

  /** @param {PointerEvent} event */
  #penUp(event) {
    if (event.pointerId !== this.#pen?.id) return;
    this.#pen = null;
    this.#on.end?.();
  }

  /** Drop the unfinished stroke. */
  #penAway() {
    this.#change(() => this.#history.drop());
    this.#on.ink();
    this.#on.end?.();
  }

  /**
   * @param {Stroke} stroke
   * @param {PointerEvent[]} events
   */
  #addPoints(stroke, events) {
    // Read at each event, because the page may have moved since the last one.
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const nBefore = stroke.length;
    for (const { clientX, clientY } of events) {
      const [x, y] = [(clientX - left) / width, (clientY - top) / height];
      const last = stroke.at(-1);
      if (x !== last?.[0] || y !== last[1]) stroke.push([x, y]);
    }
    if (stroke.length === nBefore) return;
    this.#paintSoon();
    this.#on.ink();
  }

  /**
   * @param {number} start of the replay, ms
   * @param {Stroke[]} strokes all of them
   * @param {Stroke[]} last strokes that this replay showed last; any other drawing ends it
   */
  #replayFrom(start, strokes, last) {
    requestAnimationFrame((now) => {
      if (this.#replayed !== last) return;
      const nPoints = strokes.reduce((sum, stroke) => sum + stroke.length, 0);
      const nShown = Math.max(1, Math.ceil((nPoints * (now - start)) / REPLAY_MS));
      this.#replayed = nShown < nPoints ? firstPoints(strokes, nShown) : null;
      this.#paintSoon();
      this.#on.ink();
      if (this.#replayed) this.#replayFrom(start, strokes, this.#replayed);
      else this.#on.end?.();
    });
  }

  #paintSoon() {
    if (this.#isPaintDue) return;
    this.#isPaintDue = true;
    requestAnimationFrame(() => {
      this.#isPaintDue = false;
      this.#paint();
    });
  }

  #paint() {
    const canvas = this.#canvas;
    const side = Math.round(canvas.getBoundingClientRect().width * window.devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = contextOf(canvas);
    context.clearRect(0, 0, side, side);
    const { color } = getComputedStyle(canvas);
    this.#shown.forEach((stroke, index) => drawStrokes(context, [stroke], side, this.#colourOf?.(index) ?? color));
  }
}

/**
 * @param {Stroke} stroke
 * @returns {number} its larger side, as a share of the sheet
 */
function extentOf(stroke) {
  return Math.max(...[0, 1].map((axis) => Math.max(...stroke.map((point) => point[axis])) - Math.min(...stroke.map((point) => point[axis]))));
}

/**
 * @param {Stroke[]} strokes
 * @param {number} n of their points, from the first
 * @returns {Stroke[]}
 */
function firstPoints(strokes, n) {
  const shown = [];
  for (let i = 0; i < strokes.length && n > 0; n -= strokes[i].length, i += 1) shown.push(strokes[i].slice(0, n));
  return shown;
}
