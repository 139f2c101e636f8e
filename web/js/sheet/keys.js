// Keyboard shortcuts of the sheet.

import { isCovered } from "../base/dom.js";

/** Elements with a different use of these keys. */
const ELSEWHERE = "input:not([type=file], [type=checkbox]), textarea, select, [contenteditable], dialog, [popover]";

/**
 * @param {object} on
 * @param {() => void} on.undo Ctrl or Cmd and Z
 * @param {() => void} on.redo Ctrl or Cmd, Shift and Z, or Ctrl and Y
 * @param {() => void} on.clear Escape, if the sheet or nothing has the focus
 * @param {(digit: number) => void} on.sample 0 to 9, if the sheet or nothing has the focus
 */
export function takeKeys(on) {
  document.addEventListener("keydown", (event) => {
    const isElsewhere = event.target instanceof Element && event.target.closest(ELSEWHERE);
    if (isElsewhere || event.defaultPrevented) return;
    const act = actionOf(event);
    const isSample = /^[0-9]$/.test(event.key) && !(event.altKey || event.ctrlKey || event.metaKey);
    if (!(act || isSample) || ((isSample || act === "clear") && !isAtSheet())) return;
    event.preventDefault();
    if (act) on[act]();
    else on.sample(Number(event.key));
  });
}

/** @returns {boolean} */
function isAtSheet() {
  const focused = document.activeElement ?? document.body;
  return (focused === document.body || focused.id === "stage") && !isCovered();
}

/**
 * @param {KeyboardEvent} event
 * @returns {"undo" | "redo" | "clear" | null}
 */
function actionOf({ key, altKey, ctrlKey, metaKey, shiftKey }) {
  if (key === "Escape") return "clear";
  if (altKey || !(ctrlKey || metaKey)) return null;
  if (key.toLowerCase() === "z") return shiftKey ? "redo" : "undo";
  return key.toLowerCase() === "y" && ctrlKey && !shiftKey ? "redo" : null;
}
