/** @param {() => void} run in a task of its own, when the browser has nothing else to do */
export function whenIdle(run) {
  // Safari has no requestIdleCallback.
  if ("requestIdleCallback" in window) requestIdleCallback(run, { timeout: 2000 });
  else setTimeout(run, 200);
}
