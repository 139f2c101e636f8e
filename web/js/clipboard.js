// Puts text on the clipboard, also where the page was opened over plain http.

/**
 * The clipboard's own interface exists on https and localhost only; on plain http, the old command copies a selection.
 *
 * @param {string} text
 * @returns {Promise<boolean>} whether the browser let the page copy it
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelection(text);
  }
}

/**
 * @param {string} text
 * @returns {boolean}
 */
function copySelection(text) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.className = "unseen";
  area.value = text;
  // Where the window is: selecting it at the page's end would scroll there. The class would fold the lines into one.
  area.style.position = "fixed";
  area.style.whiteSpace = "pre";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return isCopied;
}
