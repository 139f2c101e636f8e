// The model's card as JSDoc types: what GET /api/model answers, as far as the page shows it. A model file of an older
// make tells less of itself: whatever may be missing is optional here.

/** @typedef {{name: string, kind: string, shape: number[], n_parameters: number, activation?: string | null, detail?: string | null}} Layer */

/** @typedef {{epoch: number, loss: number, accuracy: number, val_loss: number, val_accuracy: number}} Epoch */

/** @typedef {{epoch: number, epochs?: number, parameters?: Record<string, unknown>, history?: Epoch[]}} Training */

/** @typedef {{test: string, low: number, high: number, n: number, confidence: number, accuracy: number, accuracy_low: number, accuracy_high: number}} Bin */

/**
 * Of images of one family that are no digits: the shares of each state.
 *
 * @typedef {{kind: string, is_held_out: boolean, digit: number, unsure: number, refused: number, refused_low: number, refused_high: number}} Family
 */

/** @typedef {{source: string, image: number, actual: number, predicted: number, confidence: number, state: string, pixels: string}} Mistake */

/** @typedef {number[][]} Confusion 10 x 10 counts, `[actual][predicted]` */

/**
 * @typedef {object} Evaluation
 * @property {{mnist?: Confusion, strokes?: Confusion}} [confusion]
 * @property {Bin[]} [reliability]
 * @property {{families: Record<string, Family>}} [refusal]
 * @property {Mistake[]} [mistakes]
 */

/**
 * @typedef {object} Run
 * @property {string} experiment
 * @property {string} hypothesis
 * @property {number} learning_rate
 * @property {number} batch_size
 * @property {number} dropout
 * @property {boolean} augmentation
 * @property {boolean} batchnorm
 * @property {number} val_accuracy
 * @property {number} test_accuracy
 * @property {number} test_accuracy_low
 * @property {number} test_accuracy_high
 * @property {number | null} published
 * @property {number} epochs
 * @property {number} seconds
 * @property {string} finding
 */

/**
 * @typedef {object} Data
 * @property {string} [title]
 * @property {number} [train]
 * @property {number} [validation]
 * @property {number} [test]
 * @property {number} [test_drawings]
 * @property {{train?: Record<string, number>, validation?: Record<string, number>}} [parts]
 */

/**
 * @typedef {object} Card
 * @property {string} version
 * @property {Data} [data]
 * @property {Record<string, number>} [metrics]
 * @property {{name: string, n_parameters: number, layers?: Layer[], definition?: string}} [network]
 * @property {Training} [training]
 * @property {Evaluation} [evaluation]
 * @property {Run[]} [experiments]
 */

export {};
