// Types that the modules' JSDoc uses. types.d.ts has those of the service. Only the type checker reads this file.

/** A point of a pen stroke: x and y, 0 to 1 from the sheet's top left corner. */
type Point = [number, number];
type Stroke = Point[];

/** Durations in milliseconds; null where the service did not report them. */
interface Durations {
  /** Decoding the body to grey pixels, or drawing it. */
  decodeMs: number | null;
  /** Preprocessing and network. */
  inferMs: number | null;
  /** The whole request in the service, or in the worker of this browser. */
  serviceMs: number | null;
}

/** A prediction. */
interface Answer extends FullAnswer, Durations {
  by: "service" | "browser";
  /** Whether remembered drawings changed the digit, or whether it is sure. */
  isByMemory?: boolean;
  /** From sending the request to its answer. */
  roundTripMs: number;
}

/** The arguments of `fetch` as one object. */
interface ServiceRequest extends RequestInit {
  url: string;
}

/** A question to the service; `request` runs when it is sent. */
interface Ask {
  request(): ServiceRequest;
  strokes?: Stroke[];
  file?: File;
}

/** The drawing or file that an answer belongs to. */
interface Drawing {
  /** As they were sent; null for a file. */
  strokes: Stroke[] | null;
  file: File | null;
  isDrawing: boolean;
}

/** A drawing of the visitor that the browser remembers. */
interface Remembered {
  /** The model's features, a unit vector. */
  vector: Float32Array;
  label: number;
}

/** What the visitor taught one model. */
interface HandMemory {
  /** The version of the model whose features the vectors are. */
  model: string;
  drawings: Remembered[];
}

/** A part of the page below the sheet. */
interface Part {
  /** The ID of its section, and the entries of the card that it needs: without them the section is hidden. */
  section?: string;
  needs?: (keyof Card)[];
  /** Whether it has many elements, and is built only before it is seen, so that the first answer does not wait. */
  isLate?: boolean;
  showCard?(card: Card): void;
  showAnswer?(answer: Answer, drawing: Drawing): void;
  showBlank?(): void;
  /** The service can be reached again. */
  showBack?(): void;
}

/** The metadata of the model file, as the pipeline writes it. */
interface Card extends CardAnswer {
  data: CardData;
  metrics: Record<string, number>;
  network: CardNetwork;
  parameters: CardParameters;
  training: CardTraining;
  evaluation: CardEvaluation;
}

interface CardData {
  title: string;
  train: number;
  validation: number;
  test: number;
  parts: { train: Record<string, number>; validation: Record<string, number> };
  test_drawings: number;
}

interface CardParameters {
  model: { name: string; [key: string]: unknown };
  train: { augment: Record<string, number>; [key: string]: unknown };
}

interface CardNetwork {
  n_parameters: number;
  layers: Layer[];
  /** The Keras code that builds it. */
  definition: string;
}

interface Layer {
  name: string;
  kind: string;
  /** Shape of its output, without the batch. */
  shape: number[];
  n_parameters: number;
  activation: string | null;
  detail: string | null;
}

interface Epoch {
  epoch: number;
  loss: number;
  accuracy: number;
  val_loss: number;
  val_accuracy: number;
}

interface CardTraining {
  /** The number of the epoch whose weights were kept. */
  epoch: number;
  history: Epoch[];
}

interface CardEvaluation {
  /** Counts, [actual][predicted]. */
  confusion: { mnist: number[][]; strokes?: number[][] };
  reliability: ReliabilityBin[];
  refusal: { families: Record<string, RefusalFamily> };
  steps: Record<string, StepAccuracy>;
  mistakes: Mistake[];
}

interface Measured {
  accuracy: number;
  accuracy_low: number;
  accuracy_high: number;
}

interface ReliabilityBin extends Measured {
  test: string;
  low: number;
  high: number;
  n: number;
  confidence: number;
}

interface RefusalFamily {
  is_held_out: boolean;
  digit: number;
  refused: number;
  refused_low: number;
  refused_high: number;
}

/** Accuracy on test drawings without one step of the preprocessing. */
interface StepAccuracy extends Measured {
  label: string;
}

interface Mistake {
  source: string;
  image: number;
  actual: number;
  predicted: number;
  confidence: number;
  state: Reading["state"];
  /** Base64 of the 28 x 28 bytes of the network's input, 255 = ink. */
  pixels: string;
}

/** The request of POST /api/network. */
interface NetworkAsk {
  /** n x 28 x 28 levels (255 = ink), in the form of an answer's `normalized`. */
  grids: Uint8Array<ArrayBuffer>;
  /** Whether to return the feature maps of the first grid too. */
  layers?: boolean;
}

interface KernelAsk {
  /** Name of a convolution. */
  layer: string;
  channel: number;
}

/** The type of the element that `html("p.note")` makes: a `p`. */
type ElementOf<T extends string> = TagName<T> extends keyof HTMLElementTagNameMap
  ? HTMLElementTagNameMap[TagName<T>]
  : HTMLElement;
type TagName<T extends string> = T extends `${infer Name}.${string}` ? Name : T;
