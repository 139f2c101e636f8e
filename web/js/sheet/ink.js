// Paints strokes as ink on a canvas.

import { PEN } from "../base/raster.js";

/**
 * Draw the strokes on a square of `side` pixels.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {readonly Stroke[]} strokes
 * @param {number} side
 * @param {string} colour
 */
export function drawStrokes(context, strokes, side, colour) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = PEN * side;
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
 * @returns {CanvasRenderingContext2D}
 */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The browser gives no context to draw with.");
  return context;
}
