// Reads drawings, pictures and grids with the model file, and answers as the service does: serving/api/predict.py, network.py and number.py.

import { GRID, bytesOf } from "../base/pixels.js";
import { drawPicture, PICTURE_SIDE, SIDE } from "../base/raster.js";
import { SIDE as CANDIDATE_SIDE } from "../number/candidates.js";
import { decode, sketchOf } from "../number/decode.js";
import { metadataOf } from "./metadata.js";
import { SCORE_DECIMALS, base64Of, boxOf, floats, joined, mapsOf, rounded } from "./values.js";

/** Grids in one run, to bound the memory, and pictures of candidates for a digit of a number. */
const N_IN_BATCH = 64;
const N_CANDIDATES_IN_BATCH = 16;

/** @typedef {typeof import("onnxruntime-web")} Runtime */
/** @typedef {Map<string, import("onnxruntime-web").Tensor>} Outputs */
/** @typedef {{input: string, probabilities: string, digit_score: string, layers: {name: string, kind: string, output: string, kernels?: string, reads?: string, stride?: number}[], fragment: string}} Description */

/**
 * @typedef {object} Grey upright grey levels
 * @property {Uint8Array} levels width x height
 * @property {number} width
 * @property {number} height
 * @property {number} zoom size of a pixel of the source
 * @property {number} left of the source's corner, pixels
 * @property {number} top
 * @property {number} sourceWidth pixels of the source
 * @property {number} sourceHeight
 */

/** The session runs one question at a time. */
export class Reader {
  #runtime;
  #file;
  #card;
  #session;
  /** @type {Promise<import("onnxruntime-web").InferenceSession> | null} runs the network without the preprocessing */
  #network = null;
  /** @type {Description | null} */
  #description;

  /**
   * @param {Runtime} runtime
   * @param {Uint8Array<ArrayBuffer>} file of the model
   * @param {Card} card of the same model
   * @param {import("onnxruntime-web").InferenceSession} session of the file
   */
  constructor(runtime, file, card, session) {
    this.#runtime = runtime;
    this.#file = file;
    this.#card = card;
    this.#session = session;
    this.#description = JSON.parse(metadataOf(file).get("network_alone") ?? "null");
  }

  /**
   * @param {Runtime} runtime
   * @param {Uint8Array<ArrayBuffer>} file
   * @param {Card} card
   * @returns {Promise<Reader>}
   */
  static async open(runtime, file, card) {
    return new Reader(runtime, file, card, await openSession(runtime, file));
  }

  /**
   * @param {Stroke[]} strokes
   * @param {boolean} [withFeatures]
   * @returns {Promise<FullAnswer & Durations>}
   */
  async readStrokes(strokes, withFeatures) {
    const startMs = performance.now();
    const { levels, ...view } = drawPicture(strokes);
    const grey = { levels, width: PICTURE_SIDE, height: PICTURE_SIDE, ...view, sourceWidth: SIDE, sourceHeight: SIDE };
    return this.readGrey(grey, startMs, withFeatures);
  }

  /**
   * @param {Grey} grey
   * @param {number} startMs when the question came
   * @param {boolean} [withFeatures]
   * @returns {Promise<FullAnswer & Durations>}
   */
  async readGrey(grey, startMs, withFeatures = false) {
    const drawnMs = performance.now();
    const image = new this.#runtime.Tensor("uint8", grey.levels, [1, grey.height, grey.width]);
    const names = this.#session.outputNames.filter((name) => name !== "features" || withFeatures);
    const outputs = await this.#session.run({ image }, names);
    const endMs = performance.now();
    const reading = this.#reading(floats(outputs.probabilities), floats(outputs.digit_score)[0]);
    return {
      ...reading,
      model_version: this.#card.version,
      ...(withFeatures ? { features: [...floats(outputs.features)].map((value) => rounded(value, SCORE_DECIMALS)) } : {}),
      box: reading.state === "blank" ? null : boxOf(grey, floats(outputs.box)),
      normalized: base64Of(/** @type {Uint8Array} */ (outputs.normalized.data)),
      width: grey.sourceWidth,
      height: grey.sourceHeight,
      decodeMs: drawnMs - startMs,
      inferMs: endMs - drawnMs,
      serviceMs: endMs - startMs,
    };
  }

  /**
   * Run the network without the preprocessing.
   *
   * @param {Uint8Array} grids n x GRID x GRID levels, 255 = ink
   * @param {boolean} withLayers
   * @returns {Promise<NetworkAnswer>}
   */
  async readGrids(grids, withLayers) {
    const description = this.#described();
    /** @type {Reading[]} */
    const answers = [];
    const nClasses = this.#card.classes.length;
    for (let start = 0; start < grids.length; start += N_IN_BATCH * GRID ** 2) {
      const found = await this.#run([description.probabilities, description.digit_score], grids.subarray(start, start + N_IN_BATCH * GRID ** 2));
      const probabilities = floats(found[description.probabilities]);
      floats(found[description.digit_score]).forEach((score, i) => {
        answers.push(this.#reading(probabilities.subarray(i * nClasses, (i + 1) * nClasses), score));
      });
    }
    if (!withLayers) return { model_version: this.#card.version, answers };
    const found = await this.#run(description.layers.map(({ output }) => output), grids.subarray(0, GRID ** 2));
    const layers = description.layers.map(({ name, kind, output }) => ({ name, kind, ...mapsOf(found[output]) }));
    return { model_version: this.#card.version, answers, layers };
  }

  /**
   * @param {Stroke[]} strokes
   * @returns {Promise<NumberAnswer>}
   */
  async readNumber(strokes) {
    const { version: model_version, classes, number: weights, thresholds } = this.#card;
    const sketch = sketchOf(strokes);
    const none = { state: /** @type {const} */ ("not_a_number"), number: null, confidence: null, digits: [], alternatives: [], model_version };
    if (!weights || !sketch) return none;
    const { candidates, pictures } = sketch;
    /** @type {number[][]} */
    const probabilities = [];
    /** @type {number[]} */
    const scores = [];
    for (let start = 0; start < pictures.length; start += N_CANDIDATES_IN_BATCH) {
      const batch = pictures.slice(start, start + N_CANDIDATES_IN_BATCH);
      const image = new this.#runtime.Tensor("uint8", joined(...batch), [batch.length, CANDIDATE_SIDE, CANDIDATE_SIDE]);
      const outputs = await this.#session.run({ image }, ["probabilities", "digit_score"]);
      const found = [...floats(outputs.probabilities)];
      scores.push(...floats(outputs.digit_score));
      batch.forEach((_, i) => probabilities.push(found.slice(i * classes.length, (i + 1) * classes.length)));
    }
    const [best, ...others] = decode(sketch, probabilities, scores, weights);
    if (!best || best.candidates.some((index) => scores[index] < thresholds.digit_score)) return none;
    /** @param {number[]} digits */
    const textOf = (digits) => digits.map((digit) => classes[digit]).join("");
    return {
      state: best.confidence >= thresholds.confidence ? "number" : "unsure",
      number: textOf(best.digits),
      confidence: rounded(best.confidence, SCORE_DECIMALS),
      digits: best.digits.map((digit, place) => {
        const index = best.candidates[place];
        const { strokes: own, box } = candidates[index];
        const [left, top, right, bottom] = [box.left, box.top, box.right, box.bottom].map((side) => rounded(side, SCORE_DECIMALS));
        const [confidence, digit_score] = [probabilities[index][digit], scores[index]].map((share) => rounded(share, SCORE_DECIMALS));
        return { digit, confidence, digit_score, strokes: own, box: { left, top, right, bottom } };
      }),
      alternatives: others.map(({ digits, confidence }) => ({ number: textOf(digits), confidence: rounded(confidence, SCORE_DECIMALS) })),
      model_version,
    };
  }

  /**
   * @param {string} name of a convolution
   * @param {number} channel
   * @returns {Promise<KernelAnswer>}
   */
  async readKernel(name, channel) {
    const layer = this.#described().layers.find((each) => each.name === name);
    if (!layer?.kernels) throw new Error(`${name} has no kernels in the model file.`);
    const tensor = (await this.#run([layer.kernels], new Uint8Array(GRID ** 2)))[layer.kernels];
    const [, n_maps, height, width] = tensor.dims;
    const size = n_maps * height * width;
    const kernel = floats(tensor).subarray(channel * size, (channel + 1) * size);
    const peak = kernel.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const weights = Int8Array.from(kernel, (value) => Math.round(value * (peak ? 127 / peak : 0)));
    return {
      model_version: this.#card.version, reads: layer.reads ?? "", stride: layer.stride ?? 1,
      n_maps, height, width, peak: rounded(peak, SCORE_DECIMALS), weights: base64Of(new Uint8Array(weights.buffer)),
    };
  }

  #described() {
    if (!this.#description) throw new Error("The model file lacks the metadata 'network_alone'.");
    return this.#description;
  }

  /**
   * @param {string[]} names of outputs of the network without the preprocessing
   * @param {Uint8Array} grids
   */
  async #run(names, grids) {
    const { fragment, input } = this.#described();
    this.#network ??= openSession(this.#runtime, joined(this.#file, bytesOf(fragment)));
    const session = await this.#network;
    const tensor = new this.#runtime.Tensor("uint8", grids, [grids.length / GRID ** 2, GRID, GRID]);
    // The whole graph wants its input, too. The smallest picture costs almost nothing.
    const unused = new this.#runtime.Tensor("uint8", new Uint8Array(1), [1, 1, 1]);
    return session.run({ [input]: tensor, image: unused }, names);
  }

  /**
   * @param {Float32Array} probabilities of the classes
   * @param {number} score 0 only if there is no ink
   * @returns {Reading}
   */
  #reading(probabilities, score) {
    const { thresholds } = this.#card;
    const confidence = Math.max(...probabilities);
    const digit = probabilities.indexOf(confidence);
    const read = confidence >= thresholds.confidence ? "digit" : "unsure";
    const state = score > 0 ? (score >= thresholds.digit_score ? read : "not_a_digit") : "blank";
    const isRead = state === read;
    return {
      state,
      digit: isRead ? digit : null,
      confidence: isRead ? rounded(confidence, SCORE_DECIMALS) : null,
      probabilities: [...probabilities].map((value) => rounded(value, SCORE_DECIMALS)),
      digit_score: rounded(score, SCORE_DECIMALS),
    };
  }
}

/**
 * @param {Runtime} runtime
 * @param {Uint8Array} file
 */
function openSession(runtime, file) {
  return runtime.InferenceSession.create(file, { executionProviders: ["wasm"], logSeverityLevel: 3 });
}
