// Lets the page open without a network: a service worker answers with the files that were kept.

/** The same name as in sw.js. */
const CACHE = "inkling-page";

/** What the page is made of. */
const FILE = /\.(css|js|svg|png|webmanifest)$/;

/**
 * Registers the worker. What comes before it has taken over is kept here, so that the next visit may already be
 * without a network. On plain http browsers have no service workers.
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

/** Keeps what was loaded, and what still comes: a file may be on its way while the worker takes over. */
async function keepLoaded() {
  const cache = await caches.open(CACHE);
  /** @type {Set<string>} */
  const kept = new Set();
  new PerformanceObserver((list) => {
    for (const { name } of list.getEntries()) {
      const { origin, pathname } = new URL(name);
      if (origin !== location.origin || !FILE.test(pathname) || kept.has(pathname)) continue;
      kept.add(pathname);
      cache.add(pathname).catch(() => {}); // Its turn comes at the next visit: storage is full, or the network has gone.
    }
  }).observe({ type: "resource", buffered: true });
  await cache.add(location.pathname);
}
