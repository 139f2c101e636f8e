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
    const file = data?.files[0];
    if (file) on.file(file);
    else on.none();
  };

  for (const input of [byId("file", HTMLInputElement), byId("camera", HTMLInputElement)]) {
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      if (file) on.file(file);
      // Otherwise choosing the same file again would not fire a change event.
      input.value = "";
    });
  }
  byId("hero-upload").addEventListener("click", () => byId("file").click());

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
