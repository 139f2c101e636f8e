// Lets the page open without a network, from the files in the service worker's cache.

/** The same name as in sw.js. */
const CACHE = "inkling-page";

/** Files of the page. */
const FILE = /\.(css|js|svg|png|webmanifest)$/;

/** Register the worker. On the first visit, also cache the files that load before the worker is active. */
export async function keepOffline() {
  // Browsers have no service workers on plain http.
  if (!("serviceWorker" in navigator)) return;
  const isFirstVisit = !navigator.serviceWorker.controller;
  try {
    await navigator.serviceWorker.register("sw.js");
    if (isFirstVisit) await keepLoaded();
  } catch {
    // A private window or a lost network; the page works while it is open.
  }
}

/** Cache the files that are loaded already, and those that load later. */
async function keepLoaded() {
  const cache = await caches.open(CACHE);
  /** @type {Set<string>} */
  const kept = new Set();
  new PerformanceObserver((list) => {
    for (const { name } of list.getEntries()) {
      const { origin, pathname } = new URL(name);
      if (origin !== location.origin || !FILE.test(pathname) || kept.has(pathname)) continue;
      kept.add(pathname);
      cache.add(pathname).catch(() => {}); // The next visit tries again.
    }
  }).observe({ type: "resource", buffered: true });
  await cache.add(location.pathname);
}
