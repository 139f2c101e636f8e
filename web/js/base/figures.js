// Figures as text.

/** Of a missing figure. */
export const NONE = "–";

/**
 * A share as a percentage; what is not certain is never rounded up to 100 %, nor what happens down to 0 %.
 *
 * @param {number} share 0 to 1
 * @param {number} [digits] after the point
 * @returns {string}
 */
export function percent(share, digits = 2) {
  return `${percentFigure(share, digits)}\u00a0%`;
}

/**
 * How likely something is, with one decimal: 0 where it hardly is, but never rounded up to 100 %.
 *
 * @param {number} share 0 to 1
 * @returns {string}
 */
export function chance(share) {
  const value = share < 1 ? Math.min(100 * share, 99.9) : 100;
  return `${value.toFixed(1)}\u00a0%`;
}

/**
 * @param {number} low 0 to 1
 * @param {number} high 0 to 1
 * @param {number} [digits] after the point
 * @returns {string} the two ends of an interval
 */
export function interval(low, high, digits = 2) {
  return `${percentFigure(low, digits)} to ${percent(high, digits)}`;
}

/**
 * @param {number} n
 * @returns {string} with its thousands marked off
 */
export function count(n) {
  return n.toLocaleString("en");
}

/**
 * @param {number} n
 * @param {string} noun that takes an s in the plural
 * @returns {string}
 */
export function counted(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/**
 * @param {string} key as the model file names something, `augment.batch_size`
 * @returns {string} as it reads, `augment batch size`
 */
export function words(key) {
  return key.replace(/[._]/g, " ");
}

/**
 * The same text with its first figure part of the way from 0, as wide after the point.
 *
 * @param {string} text as `99.60 %` or `115,992`
 * @param {number} share 0 to 1, how far the figure has come
 * @returns {string}
 */
export function partOf(text, share) {
  return text.replace(/\d[\d,]*(?:\.(\d+))?/, (figure, decimals = "") => {
    const digits = decimals.length;
    const value = Number(figure.replaceAll(",", "")) * share;
    return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  });
}

/**
 * @param {number} share
 * @param {number} digits
 * @returns {string}
 */
function percentFigure(share, digits) {
  const least = 10 ** -digits;
  const isCertain = share <= 0 || share >= 1;
  const value = isCertain ? 100 * share : Math.min(Math.max(100 * share, least), 100 - least);
  return value.toFixed(digits);
}
