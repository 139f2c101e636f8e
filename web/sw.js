// The service worker: serves the page's files from the network, and from the cache without one.

/** The same name as in js/service/offline.js. */
const CACHE = "inkling-page";

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** Paths of computed responses, which are never cached. */
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
 * Cache a file. Without storage, the page works only with a network.
 *
 * @param {Request} request
 * @param {Response} response
 */
async function keep(request, response) {
  try {
    const cache = await caches.open(CACHE);
    await cache.put(address(request), response);
  } catch {
    // The response is already delivered.
  }
}

/**
 * @param {Request} request
 * @returns {string} the URL without query and fragment, which do not matter for the page's files
 */
function address({ url }) {
  return url.split(/[?#]/)[0];
}
