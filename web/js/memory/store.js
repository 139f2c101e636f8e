// The remembered drawings: in the browser's storage, and as a file. They are never sent.

const MAX_REMEMBERED = 200;

const KEY = "hand";

/** @returns {HandMemory} */
export function emptyMemory() {
  return { model: "", drawings: [] };
}

/** @returns {HandMemory} as it was kept; empty if there is none or it is damaged */
export function keptMemory() {
  try {
    return parseMemory(localStorage.getItem(KEY) ?? "") ?? emptyMemory();
  } catch {
    return emptyMemory(); // storage is blocked
  }
}

/**
 * @param {HandMemory} memory
 * @returns {boolean} whether it is kept when the page is closed
 */
export function keepMemory(memory) {
  try {
    if (memory.drawings.length > 0) localStorage.setItem(KEY, memoryText(memory));
    else localStorage.removeItem(KEY);
    return true;
  } catch {
    return false; // storage is blocked or full
  }
}

/**
 * Add a drawing. The oldest goes if there are too many; drawings for another model go, because their vectors differ.
 *
 * @param {HandMemory} memory
 * @param {string} model version
 * @param {Remembered} drawing
 * @returns {HandMemory}
 */
export function withDrawing(memory, model, drawing) {
  const known = memory.model === model ? memory.drawings : [];
  return { model, drawings: [...known, drawing].slice(-MAX_REMEMBERED) };
}

/**
 * @param {HandMemory} memory
 * @returns {string} JSON, with each vector as the base64 of its float32 bytes
 */
export function memoryText({ model, drawings }) {
  return JSON.stringify({ model, drawings: drawings.map(({ vector, label }) => ({ label, vector: encode(vector) })) });
}

/**
 * @param {string} text the result of `memoryText`
 * @returns {HandMemory | null} null if it is damaged
 */
export function parseMemory(text) {
  try {
    const { model, drawings } = JSON.parse(text);
    /** @type {Remembered[]} */
    const parsed = drawings.map((/** @type {{label: number, vector: string}} */ { label, vector }) => ({ label, vector: decode(vector) }));
    const isGood = parsed.every(
      ({ label, vector }) => Number.isInteger(label) && label >= 0 && vector.length === parsed[0].vector.length && vector.every(Number.isFinite),
    );
    return typeof model === "string" && isGood ? { model, drawings: parsed.slice(-MAX_REMEMBERED) } : null;
  } catch {
    return null;
  }
}

/** @param {Float32Array} vector */
function encode(vector) {
  return btoa(String.fromCharCode(...new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)));
}

/** @param {string} text */
function decode(text) {
  return new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}
