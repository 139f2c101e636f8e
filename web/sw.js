// The service worker: the page's own files from the network, or as they were kept when there is none.

/** The same name as in js/service/offline.js. */
const CACHE = "inkling-page";

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** What the service computes is never kept. */
const COMPUTED = /^(api|v2)(\/|$)|^(metrics|openapi\.json)$/;

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(worker.registration.scope)) return;
  const path = new URL(request.url).pathname.slice(new URL(worker.registration.scope).pathname.length);
  if (!COMPUTED.test(path)) event.respondWith(networkFirst(event));
});

/**
 * @param {FetchEvent} event
 * @returns {Promise<Response>}
 */
async function networkFirst(event) {
  const { request } = event;
  try {
    const response = await fetch(request);
    if (response.ok) event.waitUntil(keep(request, response.clone()));
    return response;
  } catch (error) {
    const kept = await caches.match(address(request));
    if (kept) return kept;
    throw error;
  }
}

/**
 * Keeps a file for when there is no network. Where storage is full or forbidden, the page is as it is without.
 *
 * @param {Request} request
 * @param {Response} response
 */
async function keep(request, response) {
  try {
    const cache = await caches.open(CACHE);
    await cache.put(address(request), response);
  } catch {
    // The visitor has the answer already.
  }
}

/**
 * @param {Request} request
 * @returns {string} without what follows a question mark, which the page's files do not depend on
 */
function address({ url }) {
  return url.split(/[?#]/)[0];
}
