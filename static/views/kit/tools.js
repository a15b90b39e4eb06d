/* The tools of a field in which a message is written or edited: formats by keys and buttons, and the preview. */

import { keepHeight } from "./fields.js";
import { fillFormats, formatByKeys } from "./formats.js";

/**
 * Set up the tools of a form: the elements `[data-formats]`, `[data-formats-button]`, `[data-preview]` and
 * `[data-preview-button]`. `read(text)` renders a text, and `show(element, html)` shows it; `onProblem(text)` shows why that failed.
 */
export function startTools({ form, field, icons, read, show, onProblem }) {
  const [formats, open, panel, button] = ["formats", "formats-button", "preview", "preview-button"].map((name) => form.querySelector(`[data-${name}]`));
  let preview = null;
  const hidePreview = () => preview?.hide();
  keepHeight(field);
  formatByKeys(field);
  fillFormats(formats, field, icons);
  if (open) startOpening(open, formats);
  const load = async () => {
    const { Preview } = await import("./preview.js");
    preview ??= new Preview({ form, field, panel, button, read, show, onProblem });
    return preview;
  };
  button.setAttribute("aria-pressed", String(!panel.hidden));
  if (!panel.hidden) load(); // the server rendered it, before this script worked
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    try {
      await (await load()).toggle();
    } catch {
      onProblem("The preview cannot be loaded. Try again.");
    }
  });
  // A tool that changes the text needs its field.
  form.addEventListener("click", ({ target }) => target.closest(".tool") && target.closest(".tool") !== button && hidePreview(), { capture: true });
  return { hidePreview };
}

function startOpening(button, formats) {
  button.textContent = "Aa";
  button.addEventListener("mousedown", (event) => event.preventDefault()); // a phone keeps its keyboard
  button.addEventListener("click", () => {
    const isOpen = formats.classList.toggle("formats--open");
    button.setAttribute("aria-expanded", String(isOpen));
  });
}
