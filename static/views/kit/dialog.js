/* A modal question. */

/** Ask for confirmation; returns true or false. The safe button has the focus. */
export function ask({ title, text, label, isDanger = false }) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-label", title);
  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "dialog__form";
  const buttons = document.createElement("p");
  buttons.className = "dialog__buttons";
  buttons.append(
    makeButton("Cancel", "no", "button--outline"),
    makeButton(label, "yes", isDanger ? "button--danger" : "button--primary"),
  );
  form.append(makeText("h2", "dialog__title", title), makeText("p", "dialog__text", text), buttons);
  dialog.append(form);
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

function makeButton(label, value, kind) {
  const button = makeText("button", `button ${kind}`, label);
  button.value = value;
  return button;
}

export function makeText(name, className, text) {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

const GAP_PX = 4;

/** Put an open dialog with the class `menu` below or above an element, at its right edge or its left one; on a small screen, the style sheet puts it at the lower edge. */
export function placeNear(dialog, anchor, edge = "right") {
  const at = anchor.getBoundingClientRect();
  const { width, height } = dialog.getBoundingClientRect();
  const below = at.bottom + GAP_PX;
  const top = below + height > innerHeight ? Math.max(GAP_PX, at.top - GAP_PX - height) : below;
  const left = Math.min(Math.max(GAP_PX, edge === "left" ? at.left : at.right - width), innerWidth - width - GAP_PX);
  dialog.style.setProperty("--menu-top", `${Math.min(top, innerHeight - height - GAP_PX)}px`);
  dialog.style.setProperty("--menu-left", `${left}px`);
}
