/* The form that goes to a day. The server knows when the day starts in the reader's time zone. */

import { onKeys } from "../kit/keys.js";

export function startJump(root) {
  const form = root.querySelector("form");
  const { date } = form.elements;
  root.addEventListener("toggle", () => root.open && date.focus());
  onKeys(root, (meaning) => {
    if (meaning !== "Escape") return;
    root.open = false;
    root.querySelector("summary").focus();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (root.open && !root.contains(target)) root.open = false;
  });
}
