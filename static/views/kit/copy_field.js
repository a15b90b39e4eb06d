/* Fields with a button that copies their text. Without the script, the field can be selected. */

import { copyText } from "./clipboard.js";

const SELECTED = "Press Ctrl+C, or hold the text, to copy it.";

/** Show the button of each field, and let it copy. If the browser refuses, the text is selected. */
export function offerCopies(root) {
  for (const field of root.querySelectorAll("[data-copy]")) offerCopy(field);
}

function offerCopy(field) {
  const [text, button, said] = ["text", "button", "said"].map((name) => field.querySelector(`[data-copy-${name}]`));
  button.hidden = false;
  text.addEventListener("focus", () => text.select());
  button.addEventListener("click", async () => {
    if (await copyText(text.value)) said.textContent = "Copied.";
    else {
      text.focus();
      said.textContent = SELECTED;
    }
  });
}
