// Strokes as ink on a canvas.

/** Pen width as a share of the sheet's side: about a tenth of the height of a digit that fills half the sheet. */
const PEN_WIDTH = 0.06;

/**
 * Draws the strokes on a square of `side` pixels: one routine for the screen and for what is sent, so that both agree.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {readonly Stroke[]} strokes
 * @param {number} side
 * @param {string} colour
 */
export function drawStrokes(context, strokes, side, colour) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = PEN_WIDTH * side;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    const points = stroke.map(([x, y]) => /** @type {Point} */ ([x * side, y * side]));
    if (points.length === 1) drawDot(context, points[0]);
    else drawLine(context, points);
  }
}

/**
 * A line of no length has no caps in canvas, so that a tap needs a disc of its own.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Point} point
 */
function drawDot(context, [x, y]) {
  context.beginPath();
  context.arc(x, y, context.lineWidth / 2, 0, 2 * Math.PI);
  context.fill();
}

/**
 * Curves through the midpoints, with the points as handles, hide the corners between two pointer events.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke} points
 */
function drawLine(context, points) {
  context.beginPath();
  context.moveTo(...points[0]);
  for (let i = 1; i < points.length - 1; i += 1) {
    const [x, y] = points[i];
    const [nextX, nextY] = points[i + 1];
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  context.lineTo(...points[points.length - 1]);
  context.stroke();
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 * @returns {CanvasRenderingContext2D}
 */
export function contextOf(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("The browser gives no context to draw with.");
  return context;
}
