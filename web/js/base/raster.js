// Draws strokes as the service does, equal to the byte: serving/drawing/sheet.py and rasterize.py.

/** Side in pixels of the square that shows the sheet, of the paper around it, and of the picture that the model reads. */
export const SIDE = 112;
const MARGIN = 8;
export const PICTURE_SIDE = SIDE + 2 * MARGIN;

/** Width of the pen, as a share of the sheet and of the longest side of small ink. */
export const PEN = 0.06;
const PEN_OF_INK = 0.12;

/** Ink is enlarged to the first share of the sheet, and ink below the second as much as ink of that share. */
const LEAST_INK = 0.3;
const LEAST_ENLARGED = 0.04;

/** Thinner lines are drawn this wide, pixels. */
const MIN_LINE = 1;

/**
 * @typedef {object} Picture
 * @property {Uint8Array<ArrayBuffer>} levels PICTURE_SIDE x PICTURE_SIDE, 255 = ink
 * @property {number} zoom enlargement of small ink, at least 1
 * @property {number} left of the sheet's corner in the picture, pixels
 * @property {number} top
 */

/**
 * @param {readonly Stroke[]} strokes on the sheet, at least one
 * @returns {Picture} what the model reads
 */
export function drawPicture(strokes) {
  const { placed, lineWidth, zoom, left, top } = layOut(strokes);
  const square = rasterize(placed, SIDE, SIDE, lineWidth);
  const picture = new Uint8Array(PICTURE_SIDE ** 2);
  for (let row = 0; row < SIDE; row += 1) {
    picture.set(square.subarray(row * SIDE, (row + 1) * SIDE), (row + MARGIN) * PICTURE_SIDE + MARGIN);
  }
  return { levels: picture, zoom, left: left + MARGIN, top: top + MARGIN };
}

/**
 * @param {readonly Stroke[]} strokes on the sheet
 * @param {number} side pixels
 * @returns {Uint8Array<ArrayBuffer>} side x side levels of the whole sheet as it is on the screen, 255 = ink
 */
export function drawSheet(strokes, side) {
  return rasterize(strokes.map((stroke) => stroke.map(([x, y]) => [x * side, y * side])), side, side, PEN * side);
}

/**
 * Choose the pen, and enlarge small ink.
 *
 * @param {readonly Stroke[]} strokes on the sheet
 * @returns {{placed: Stroke[], lineWidth: number, zoom: number, left: number, top: number}} pixels on the square
 */
function layOut(strokes) {
  const axes = [0, 1].map((axis) => {
    const places = strokes.flat().map((point) => point[axis]);
    const [low, high] = [Math.min, Math.max].map((pick) => Math.min(Math.max(places.reduce((a, b) => pick(a, b)), 0), 1));
    return { low, extent: high - low };
  });
  const size = Math.max(axes[0].extent, axes[1].extent, LEAST_ENLARGED);
  const zoom = Math.max(LEAST_INK / size, 1);
  const scale = zoom * SIDE;
  // The ink keeps its place in the free space.
  const [left, top] = axes.map(({ low, extent }) => (low / Math.max(1 - extent, 1e-9)) * (1 - zoom) * SIDE);
  const placed = strokes.map((stroke) => stroke.map(([x, y]) => /** @type {Point} */ ([x * scale + left, y * scale + top])));
  return { placed, lineWidth: Math.min(PEN_OF_INK * size, PEN) * scale, zoom, left, top };
}

/**
 * Draw strokes with round caps and joins. The order of the operations decides the last bits.
 *
 * @param {readonly Stroke[]} strokes pixels
 * @param {number} width pixels
 * @param {number} height
 * @param {number} lineWidth
 * @returns {Uint8Array<ArrayBuffer>} levels row by row, 255 = ink
 */
export function rasterize(strokes, width, height, lineWidth) {
  const reach = Math.max(lineWidth, MIN_LINE) / 2 + 0.5; // pixels at this distance have no ink
  const nearest = new Float64Array(width * height).fill(reach * reach); // squared distances
  for (const stroke of strokes) {
    for (let i = 0; i < Math.max(stroke.length - 1, 1); i += 1) {
      addSegment(nearest, width, height, reach, stroke[i], stroke[Math.min(i + 1, stroke.length - 1)]);
    }
  }
  return Uint8Array.from(nearest, (square) => Math.min(Math.max(reach - Math.sqrt(square), 0), 1) * 255 + 0.5);
}

/**
 * @param {Float64Array} nearest squared distance of each pixel from the nearest segment; updated
 * @param {number} width of the picture
 * @param {number} height
 * @param {number} reach
 * @param {Point} start
 * @param {Point} end
 */
function addSegment(nearest, width, height, reach, [startX, startY], [endX, endY]) {
  const [stepX, stepY] = [endX - startX, endY - startY];
  const length = Math.sqrt(stepX * stepX + stepY * stepY);
  const [directionX, directionY] = length > 0 ? [stepX / length, stepY / length] : [1, 0];
  const [middleX, middleY, half] = [(startX + endX) / 2, (startY + endY) / 2, length / 2];
  const [left, top] = [Math.min(startX, endX), Math.min(startY, endY)].map((low) => Math.max(Math.floor(low - reach), 0));
  const [right, bottom] = [[startX, endX, width], [startY, endY, height]].map(([start, end, limit]) => Math.min(Math.ceil(Math.max(start, end) + reach), limit));
  for (let y = top; y < bottom; y += 1) {
    const fromY = y + 0.5 - middleY;
    for (let x = left; x < right; x += 1) {
      const fromX = x + 0.5 - middleX;
      const beyond = Math.max(Math.abs(fromX * directionX + fromY * directionY) - half, 0);
      const across = fromY * directionX - fromX * directionY;
      const square = beyond * beyond + across * across;
      const pixel = y * width + x;
      if (square < nearest[pixel]) nearest[pixel] = square;
    }
  }
}
