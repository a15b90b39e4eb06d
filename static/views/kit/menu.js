/* A menu over the page: next to the pressed element, or at the lower edge of a small screen. */

import { placeNear } from "./dialog.js";
import { announceKeys, moveAmong, nameKeys, onKeys } from "./keys.js";
import { makeIcon } from "./signs.js";

export class MenuView {
  #dialog;
  #icons;

  constructor({ icons }) {
    this.#icons = icons;
    this.#dialog = document.createElement("dialog");
    this.#dialog.className = "menu";
    this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#dialog.close());
    onKeys(this.#dialog, (meaning, event) => this.#press(meaning, event));
    document.body.append(this.#dialog);
  }

  /** Show `items`, each with `label`, `icon`, `run()`, and optionally `key` and `isDanger`. */
  open({ label, items, anchor }) {
    const list = document.createElement("div");
    list.className = "menu__list";
    list.setAttribute("role", "menu");
    list.setAttribute("aria-label", label);
    list.append(...items.map((item) => this.#makeItem(item)));
    this.#dialog.replaceChildren(list);
    this.#dialog.showModal();
    placeNear(this.#dialog, anchor);
    list.firstElementChild.focus();
  }

  #makeItem({ label, icon, key, isDanger, run }) {
    const item = document.createElement("button");
    item.type = "button";
    item.className = "menu__item";
    item.classList.toggle("menu__item--danger", Boolean(isDanger));
    item.setAttribute("role", "menuitem");
    item.append(makeIcon(this.#icons, icon), label);
    if (key) {
      item.append(makeKey(key));
      announceKeys(item, [key]);
    }
    item.addEventListener("click", () => {
      this.#dialog.close(); // restores the focus, so that `run` can move it
      run();
    });
    return item;
  }

  #press(meaning, event) {
    moveAmong([...this.#dialog.querySelectorAll("[role=menuitem]")], meaning, event);
  }
}

function makeKey(key) {
  const element = document.createElement("kbd");
  element.className = "key";
  element.setAttribute("aria-hidden", "true");
  element.textContent = nameKeys(key).join(" ");
  return element;
}
