// Made by `python -m tests.web.types` from serving/api/messages.py. Only the type checker reads this file.

/** A picture in JSON. */
interface Picture {
  /** A data URL, or only its base64. */
  image: string;
}

/** The strokes of a drawing. */
interface Drawing {
  /** Lists of points: x and y from the top left of the canvas, which is 0 to 1. */
  strokes: [number, number][][];
}

/** The reading of an image. Digits are indices of the model's classes. */
interface Reading {
  /** `blank`: there is no ink. `not_a_digit`: the ink is not one digit. `unsure`: it may be one of two digits. `digit`: it is that digit. The thresholds are in the model's card. */
  state: "blank" | "digit" | "not_a_digit" | "unsure";
  /** The most probable digit, if the state is `digit` or `unsure`; else null. */
  digit: number | null;
  /** Its calibrated probability. */
  confidence: number | null;
  /** Of each digit, if the ink is one. They add up to 1. */
  probabilities: number[];
  /** Probability that the ink is one digit; 0 if there is no ink. */
  digit_score: number;
}

/** The reading of a picture. */
interface DigitAnswer {
  /** `blank`: there is no ink. `not_a_digit`: the ink is not one digit. `unsure`: it may be one of two digits. `digit`: it is that digit. The thresholds are in the model's card. */
  state: "blank" | "digit" | "not_a_digit" | "unsure";
  /** The most probable digit, if the state is `digit` or `unsure`; else null. */
  digit: number | null;
  /** Its calibrated probability. */
  confidence: number | null;
  /** Of each digit, if the ink is one. They add up to 1. */
  probabilities: number[];
  /** Probability that the ink is one digit; 0 if there is no ink. */
  digit_score: number;
  /** The first 12 hex digits of the model file's SHA-256. */
  model_version: string;
  /** Unit vector that the last layer reads; only with `detail=features`. */
  features?: number[];
}

/** A part of the upright picture, in pixels. */
interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The reading of a picture, and what the network saw. */
interface FullAnswer {
  /** `blank`: there is no ink. `not_a_digit`: the ink is not one digit. `unsure`: it may be one of two digits. `digit`: it is that digit. The thresholds are in the model's card. */
  state: "blank" | "digit" | "not_a_digit" | "unsure";
  /** The most probable digit, if the state is `digit` or `unsure`; else null. */
  digit: number | null;
  /** Its calibrated probability. */
  confidence: number | null;
  /** Of each digit, if the ink is one. They add up to 1. */
  probabilities: number[];
  /** Probability that the ink is one digit; 0 if there is no ink. */
  digit_score: number;
  /** The first 12 hex digits of the model file's SHA-256. */
  model_version: string;
  /** Unit vector that the last layer reads; only with `detail=features`. */
  features?: number[];
  /** Where the ink is; null if there is none. */
  box: Box | null;
  /** The input of the network in base64: 28 x 28 bytes, row by row, 255 = ink. */
  normalized: string;
  /** Of the upright picture, in pixels. */
  width: number;
  /** Of the upright picture, in pixels. */
  height: number;
}

/** The feature maps of a layer. */
interface LayerMaps {
  name: string;
  /** Keras's class. */
  kind: string;
  /** Height, width and number of the maps. */
  shape: [number, number, number];
  /** The highest value of all maps. */
  peak: number;
  /** Bytes in base64, map by map, row by row: 255 is the peak, 0 is 0 or less. */
  maps: string;
}

/** The readings of grids. */
interface NetworkAnswer {
  /** The first 12 hex digits of the model file's SHA-256. */
  model_version: string;
  /** Of each grid, in their order. */
  answers: Reading[];
  /** Of the first grid; only with `layers=true`. */
  layers?: LayerMaps[];
}

/** The kernel of one feature map: what a convolution multiplies with each part of the maps that it reads. */
interface KernelAnswer {
  /** The first 12 hex digits of the model file's SHA-256. */
  model_version: string;
  /** The layer whose maps it reads, or `inputs` for the grid. */
  reads: string;
  stride: number;
  /** Number of the maps that it reads. */
  n_maps: number;
  height: number;
  width: number;
  /** The largest absolute weight. */
  peak: number;
  /** Signed bytes in base64, row by row, for one map after the other: 127 is the peak. */
  weights: string;
}

/** The strokes of a drawing, and the digit that it shows. */
interface LabelledDrawing {
  /** Lists of points: x and y from the top left of the canvas, which is 0 to 1. */
  strokes: [number, number][][];
  /** The digit, an index of the model's classes. */
  label: number;
}

/** The strokes of a number. */
interface NumberDrawing {
  /** In the order of drawing: lists of points, x and y from the top left of the canvas, 0 to 1. */
  strokes: [number, number][][];
}

/** A part of the canvas, which is 0 to 1. */
interface SheetBox {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A digit of a number. */
interface NumberDigit {
  /** An index of the model's classes. */
  digit: number;
  /** Its calibrated probability, if the strokes are one digit. */
  confidence: number;
  /** Probability that the strokes are one digit. */
  digit_score: number;
  /** The positions of its strokes in the request. */
  strokes: number[];
  /** Around its strokes. */
  box: SheetBox;
}

/** Another reading of a number. */
interface AlternativeNumber {
  number: string;
  confidence: number;
}

/** The reading of a number. */
interface NumberAnswer {
  /** `number`: one or more digits. `unsure`: its confidence is below the model's threshold. `not_a_number`: a part is not a digit, or the parts do not fit together. The thresholds are in the model's card. */
  state: "not_a_number" | "number" | "unsure";
  /** The digits from left to right; null if the strokes are not a number. */
  number: string | null;
  /** Probability of this reading among all readings of the strokes as digits. */
  confidence: number | null;
  /** From left to right. */
  digits: NumberDigit[];
  /** The next readings, the best first. */
  alternatives: AlternativeNumber[];
  /** The first 12 hex digits of the model file's SHA-256. */
  model_version: string;
}

/** A stored drawing. */
interface KeptDrawing {
  /** The same drawing has the same ID. */
  id: string;
}

/** The settings that a page needs. */
interface ServiceFacts {
  /** Whether POST /api/drawings stores drawings. */
  collects: boolean;
  /** Whether the page has a runtime for the model, and GET /api/model.onnx the model. */
  runtime: boolean;
}

/** The metadata of the model file, null where the file has none, and settings of the service. */
interface CardAnswer {
  name: string;
  /** The first 12 hex digits of the model file's SHA-256. */
  version: string;
  sha256: string;
  size_bytes: number;
  inputs: Tensor[];
  outputs: Tensor[];
  classes: string[];
  thresholds: Thresholds;
  service: ServiceFacts;
  memory: Memory | null;
  normalizer: string | null;
  params_sha256: string | null;
  parameters: Record<string, unknown> | null;
  data: Record<string, unknown> | null;
  metrics: Record<string, unknown> | null;
  network: Record<string, unknown> | null;
  training: Record<string, unknown> | null;
  evaluation: Record<string, unknown> | null;
  number: NumberWeights | null;
}

/** One input or output. The datatype is `UINT8` or `FP32`; a length of -1 means any. */
interface Tensor {
  name: string;
  datatype: string;
  shape: number[];
}

/** Ink with a lower digit score is not a digit. A digit with a lower confidence is unsure. */
interface Thresholds {
  digit_score: number;
  confidence: number;
}

/** How a client can use remembered drawings: see the guide. */
interface Memory {
  similarity: number;
  unknown_similarity: number;
  weight: number;
  score_similarity: number;
  score_weight: number;
}

/** The weights of the parts of the cost, and its limit. Lengths are relative to the line's height.

Attributes:
    score: of minus the log of the digit score.
    digit: constant for each digit.
    gap: of the widest gap between the strokes of a digit.
    late: of each stroke of another digit that was drawn between those of a digit.
    lowness: of how much lower than the line a digit is.
    width: of how much wider than `USUAL_WIDTH` a digit is.
    overlap: of how much a digit overlaps the next one.
    max_cost: strokes whose best reading has several digits and costs more are not a number. */
interface NumberWeights {
  score: number;
  digit: number;
  gap: number;
  late: number;
  lowness: number;
  width: number;
  overlap: number;
  max_cost: number;
}
