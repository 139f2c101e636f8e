// Paints strokes as ink on a canvas.

/** Pen width as a share of the sheet's side: about a tenth of the height of a digit that fills half the sheet. */
const PEN_WIDTH = 0.06;

/** Largest pen width in the raster for the service, as a share of the ink's longest side. */
const MAX_OF_INK = 0.12;

/** Smallest pen width, as a share of the sheet's side, so that a dot stays a dot. */
const MIN_PEN_WIDTH = 0.02;

/**
 * Return the pen width for the raster. Small ink needs a finer pen to stay legible.
 *
 * @param {readonly Stroke[]} strokes
 * @returns {number} as a share of the sheet's side
 */
export function penWidthFor(strokes) {
  const [width, height] = [0, 1].map((axis) => {
    // Ink beyond the sheet is cut off.
    const places = strokes.flat().map((point) => Math.min(Math.max(point[axis], 0), 1));
    return places.reduce((a, b) => Math.max(a, b), 0) - places.reduce((a, b) => Math.min(a, b), 1);
  });
  return Math.min(PEN_WIDTH, Math.max(MIN_PEN_WIDTH, MAX_OF_INK * Math.max(width, height)));
}

/**
 * Draw the strokes on a square of `side` pixels, both for the screen and for the service.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {readonly Stroke[]} strokes
 * @param {number} side
 * @param {string} colour
 * @param {number} [penWidth] as a share of the side
 */
export function drawStrokes(context, strokes, side, colour, penWidth = PEN_WIDTH) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = penWidth * side;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    const points = stroke.map(([x, y]) => /** @type {Point} */ ([x * side, y * side]));
    if (points.length === 1) drawDot(context, points[0]);
    else drawLine(context, points);
  }
}

/**
 * Draw a disc, because canvas draws nothing for a line without length.
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
 * Draw curves through the midpoints, which hides the corners between pointer events.
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
