/* The form that goes to a day, which starts at midnight in the reader's time zone. */

import { onKeys } from "../kit/keys.js";

export function startJump(root) {
  const form = root.querySelector("form");
  const { date, offset } = form.elements;
  form.addEventListener("submit", () => {
    // The offset on that day may differ because of daylight saving time.
    offset.value = new Date(`${date.value}T00:00`).getTimezoneOffset();
  });
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
