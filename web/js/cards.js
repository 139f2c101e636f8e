// Shows the card of the model that answers: the service's, or the one that this browser keeps.

import { setClasses } from "./base/classes.js";
import { byId } from "./base/dom.js";
import { beforeSeen } from "./base/later.js";
import * as choice from "./local/choice.js";
import * as client from "./local/client.js";
import { keptCard } from "./local/keep.js";
import * as verdict from "./answer/verdict.js";

/** @type {Part[]} */
let parts = [];
/** @type {Set<string>} models whose card was requested; two models that alternate cost one request each */
const versions = new Set();
let shown = "";

/** Whether the model file has the weights for numbers. Before its card comes, the service is asked. */
export let hasNumbers = true;

/** @param {Part[]} all the parts of the page */
export function start(all) {
  parts = all;
}

/**
 * @param {string} version of a model that answered
 * @returns {boolean} whether its card is needed, and was not requested before
 */
export function isNew(version) {
  const isKnown = versions.has(version);
  versions.add(version);
  return !isKnown;
}

/** @param {Card} card of a service that answers */
export function takeServiceCard(card) {
  choice.setReached(true);
  show(card, choice.isAlone);
}

/**
 * Without the service, show the card of the model that this browser keeps, if it does.
 *
 * @param {import("./service/predict.js").ServiceError} error
 */
export async function takeDown(error) {
  choice.setReached(false);
  const card = await keptCard();
  if (card) show(card, true);
  else verdict.showCardError(error);
}

/**
 * @param {Card} card
 * @param {boolean} isLocal whether this browser reads
 */
function show(card, isLocal) {
  if (isLocal) client.prepare();
  versions.add(card.version);
  setClasses(card.classes);
  hasNumbers = card.number !== null;
  verdict.showCard(card, isLocal);
  // Showing the same card again would reset the visitor's choices.
  const key = JSON.stringify([card.version, card.sha256, card.service]);
  if (key === shown) return;
  shown = key;
  for (const part of parts) {
    const isComplete = part.needs?.every((entry) => card[entry] !== null) ?? true;
    if (part.section) byId(part.section).hidden = !isComplete;
    if (!isComplete) continue;
    if (part.section && part.isLate) beforeSeen(byId(part.section), () => part.showCard?.(card));
    else part.showCard?.(card);
  }
}
