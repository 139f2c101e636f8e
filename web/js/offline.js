// Lets the page open without a network: a service worker answers with the files that were kept.

/** The same name as in sw.js. */
const CACHE = "inkling-page";

/**
 * Registers the worker. What this first visit has loaded came before it; it is kept here, so that the next visit may
 * already be without a network. On plain http browsers have no service workers.
 */
export async function worksOffline() {
  if (!("serviceWorker" in navigator)) return;
  const isFirstVisit = !navigator.serviceWorker.controller;
  try {
    await navigator.serviceWorker.register("sw.js");
    if (isFirstVisit) await keepLoaded();
  } catch {
    // A private window, or a network that has just gone: the page works as long as it is open.
  }
}

async function keepLoaded() {
  const loaded = performance.getEntriesByType("resource").map(({ name }) => new URL(name));
  const files = loaded.filter(({ origin, pathname }) => origin === location.origin && /\.(css|js|svg|png|webmanifest)$/.test(pathname));
  const cache = await caches.open(CACHE);
  await cache.addAll([location.pathname, ...new Set(files.map(({ pathname }) => pathname))]);
}
