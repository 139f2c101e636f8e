// Images from files, drops, the clipboard and the camera.

import { byId, isCovered } from "../base/dom.js";

/**
 * @param {object} on
 * @param {(file: File) => void} on.file
 * @param {() => void} on.none runs when something without a file is dropped or pasted
 */
export function takeFiles(on) {
  /** @param {DataTransfer | null} data */
  const take = (data) => {
    // Or what the dialog is about would change under it.
    if (isCovered()) return;
    const file = data?.files[0];
    if (file) on.file(file);
    else on.none();
  };

  for (const input of [byId("file", HTMLInputElement), byId("camera", HTMLInputElement)]) {
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      if (file) on.file(file);
      // Or the same file, chosen once more, would be no change.
      input.value = "";
    });
  }
  byId("hero-upload").addEventListener("click", () => byId("file").click());

  document.addEventListener("paste", ({ clipboardData, target }) => {
    // Text that is pasted into a field is no image that failed.
    if (!(target instanceof Element && target.closest("input, textarea"))) take(clipboardData);
  });

  const stage = byId("stage");
  // The whole page takes a drop: beside the sheet, the browser would leave the page to open the file.
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
