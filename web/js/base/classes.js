// The names of the model's classes, from its card.

/** @type {string[]} */
let names = [];

/** @param {string[]} classes */
export function setClasses(classes) {
  names = classes;
}

/**
 * @param {number} index
 * @returns {string} the name of a class; its index until the card is there
 */
export function className(index) {
  return names[index] ?? String(index);
}
