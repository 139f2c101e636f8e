// Reads the metadata of a model file, which onnxruntime-web does not return.

/** Field numbers of ONNX's ModelProto and StringStringEntryProto. */
const METADATA = 14;
const KEY = 1;
const VALUE = 2;

/** How Protocol Buffers encode a number, a message or text, and two kinds of fixed size. */
const VARINT = 0;
const SIZED = 2;
/** @type {Record<number, number>} bytes */
const FIXED = { 1: 8, 5: 4 };

/**
 * @param {Uint8Array} file
 * @returns {Map<string, string>} its metadata
 */
export function metadataOf(file) {
  const decoder = new TextDecoder();
  return new Map(
    [...fieldsOf(file)]
      .filter(({ number }) => number === METADATA)
      .map(({ content }) => {
        const entry = new Map([...fieldsOf(content)].map((field) => [field.number, decoder.decode(field.content)]));
        return [entry.get(KEY) ?? "", entry.get(VALUE) ?? ""];
      }),
  );
}

/**
 * @param {Uint8Array} message
 * @returns {Generator<{number: number, content: Uint8Array}>} its messages and texts
 */
function* fieldsOf(message) {
  let place = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[place++];
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  while (place < message.length) {
    const tag = varint();
    const kind = tag % 8;
    const size = kind === VARINT ? 0 : kind === SIZED ? varint() : FIXED[kind];
    if (kind === VARINT) varint();
    if (kind === SIZED) yield { number: Math.floor(tag / 8), content: message.subarray(place, place + size) };
    place += size;
  }
}
