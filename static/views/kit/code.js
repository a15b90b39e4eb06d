/* The button that copies a block of code: one element, which moves to the block under the pointer, or with the focus. */

import { copyText } from "./clipboard.js";
import { makeIcon } from "./signs.js";

/** Offer the button on the blocks of code in the log. */
export function offerCode({ log, icons, toast }) {
  const button = makeButton(icons);
  let block = null;
  const show = ({ target }) => {
    if (target === button || button.contains(target)) return;
    const found = target.closest?.("pre");
    if (found && found !== block) place(button, found);
    if (!found) button.remove();
    block = found;
  };
  for (const kind of ["pointerover", "focusin", "click"]) log.addEventListener(kind, show);
  log.addEventListener("pointerleave", () => show({ target: document.activeElement }));
  button.addEventListener("click", async () => {
    const isCopied = await copyText(block.textContent.replace(/\n$/, ""));
    toast.say(isCopied ? "Copied." : "The code cannot be copied here. Select it, and copy it.");
  });
}

/** After the block, so that Tab leads to it, and at the block's upper corner. */
function place(button, block) {
  block.after(button);
  button.style.setProperty("--top", `${block.offsetTop}px`);
  button.style.setProperty("--right", `${block.offsetLeft + block.offsetWidth}px`);
}

/** Moving the button is not announced: screen readers find it after the block. */
function makeButton(icons) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "tool code-copy";
  button.title = "Copy the code";
  button.setAttribute("aria-label", "Copy the code");
  button.setAttribute("aria-live", "off");
  button.append(makeIcon(icons, "copy"));
  return button;
}
