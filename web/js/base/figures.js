// Figures as text.

/**
 * Format a share as a percentage. Only 1 becomes 100 %, and only 0 becomes 0 %.
 *
 * @param {number} share 0 to 1
 * @param {number} [digits] after the point
 * @returns {string}
 */
export function percent(share, digits = 2) {
  return `${percentFigure(share, digits)}\u00a0%`;
}

/**
 * Format a probability with one decimal. Only 1 becomes 100 %.
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
 * @returns {string}
 */
export function interval(low, high, digits = 2) {
  return `${percentFigure(low, digits)} to ${percent(high, digits)}`;
}

/**
 * @param {number} n
 * @returns {string} with thousands separators
 */
export function count(n) {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ","); // the first toLocaleString would block a phone for 100 ms
}

/**
 * @param {number} n
 * @param {string} noun with a plural in -s
 * @returns {string}
 */
export function counted(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/**
 * @param {string} key such as `augment.batch_size`
 * @returns {string} such as `augment batch size`
 */
export function words(key) {
  return key.replace(/[._]/g, " ");
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
