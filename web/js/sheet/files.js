// Image input: files, drops, the clipboard and the camera.

import { byId, isCovered } from "../base/dom.js";

/**
 * @param {object} on
 * @param {(file: File) => void} on.file
 * @param {() => void} on.none runs when a drop or paste has no file
 */
export function takeFiles(on) {
  /** @param {DataTransfer | null} data */
  const take = (data) => {
    // The drawing must not change under an open dialog.
    if (isCovered()) return;
    const files = [...(data?.files ?? [])];
    const file = files.find(({ type }) => type.startsWith("image/")) ?? files[0];
    if (file) on.file(file);
    // A middle click on Linux pastes, often nothing.
    else if (data?.types.length) on.none();
  };

  const input = byId("file", HTMLInputElement);
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) on.file(file);
    // Otherwise choosing the same file again would not fire a change event.
    input.value = "";
  });

  document.addEventListener("paste", ({ clipboardData, target }) => {
    // Text fields handle their own pastes.
    if (!(target instanceof Element && target.closest("input, textarea"))) take(clipboardData);
  });

  const stage = byId("stage");
  // The whole page accepts drops; otherwise the browser would open the file instead of the page.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    if (!isCovered()) stage.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) stage.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    stage.classList.remove("dropping");
    take(event.dataTransfer);
  });
}
