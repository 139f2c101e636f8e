// Access to the elements of the page.

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [type] of the element
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof (type ?? HTMLElement))) throw new Error(`The page has no #${id} of the kind that its script expects.`);
  return /** @type {T} */ (element);
}

/** @returns {boolean} whether a dialog or popover is open */
export function isCovered() {
  return document.querySelector("dialog[open], :popover-open") !== null;
}
