// Error messages for visitors. The service's own messages are for developers.

/** @typedef {import("./predict.js").ServiceError} ServiceError */

const AGAIN = "Retrying automatically.";
const UNREADABLE = "This file is no image that can be read. Give a PNG, JPEG, WebP, BMP or GIF file.";

/** @type {Record<number, string>} messages for a file, by the status of the response */
const OF_FILES = {
  400: UNREADABLE,
  408: "The image took too long to arrive. A smaller copy of it is quicker.",
  413: "The image is too large. Give a smaller copy of it.",
  415: UNREADABLE,
  422: "The image is damaged, or saved in a way that cannot be read. Save it anew, or give another.",
};

/**
 * @param {ServiceError} error
 * @param {boolean} isFile whether the request had an image file
 * @param {boolean} isAskedAgain whether the request is repeated automatically
 * @returns {string}
 */
export function errorText({ status = 0, isUnreachable, message }, isFile, isAskedAgain) {
  const again = isAskedAgain ? ` ${AGAIN}` : "";
  if (isUnreachable && isFile && !isAskedAgain) return "The image did not get through. A smaller copy of it may.";
  // The banner says why.
  if (isUnreachable) return isAskedAgain ? "It is read when the service is back." : message;
  if (status === 503) return `The service cannot answer just now.${again}`;
  if (status === 507) return "The service cannot store drawings just now.";
  if (status >= 500) return "The service has a fault.";
  return (isFile && OF_FILES[status]) || message;
}
