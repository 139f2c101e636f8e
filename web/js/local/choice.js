// Asks the service, or this browser while the service is away.

import * as service from "../service/predict.js";
import * as client from "./client.js";
import { keptCard } from "./keep.js";

/** Whether this copy of the page has no service; `make site` writes it. */
export const isAlone = document.documentElement.dataset.service === "none";

let isAway = isAlone;
/** @type {(error: service.ServiceError) => void} */
let onLost = () => {};

/** @param {(error: service.ServiceError) => void} react runs when this browser answers for a service that is away */
export function whenLost(react) {
  onLost = react;
}

/** @param {boolean} isReached whether the service answered the last check */
export function setReached(isReached) {
  isAway = isAlone || !isReached;
}

/**
 * @param {Ask} ask
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
export function predict(ask, signal) {
  return choose(signal, (from) => from.predict(ask, signal));
}

/**
 * @param {NetworkAsk} ask
 * @param {AbortSignal} signal
 * @returns {Promise<NetworkAnswer>}
 */
export function askNetwork(ask, signal) {
  return choose(signal, (from) => from.askNetwork(ask, signal));
}

/**
 * @param {KernelAsk} ask
 * @param {AbortSignal} signal
 * @returns {Promise<KernelAnswer>}
 */
export function askKernel(ask, signal) {
  return choose(signal, (from) => from.askKernel(ask, signal));
}

/**
 * @param {Stroke[]} strokes
 * @param {AbortSignal} signal
 * @returns {Promise<NumberAnswer>}
 */
export function askNumber(strokes, signal) {
  return choose(signal, (from) => from.askNumber(strokes, signal));
}

/**
 * @template Result
 * @param {AbortSignal} signal
 * @param {(from: Pick<typeof service, "predict" | "askNetwork" | "askKernel" | "askNumber">) => Promise<Result>} askFrom
 * @returns {Promise<Result>}
 */
async function choose(signal, askFrom) {
  if (!(isAlone || (isAway && (await keptCard())))) {
    try {
      return await askFrom(service);
    } catch (error) {
      const isLost = error instanceof service.ServiceError && error.isUnreachable && !signal.aborted;
      if (!isLost || !(await keptCard())) throw error;
      onLost(error);
    }
  }
  return askFrom(client);
}
