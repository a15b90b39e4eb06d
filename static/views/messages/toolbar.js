/* The toolbar of a message: one element, which moves to the message under the pointer. */

import { makeIcon } from "../kit/signs.js";

const SIDEWAYS = { ArrowLeft: -1, ArrowRight: 1 };

export class Toolbar {
  #icons;
  #onRun;
  #onMore;
  #bar = makeBar();
  #shown = "";

  /** `onRun(name, button)`: an action was chosen; `onMore(button)`: the button for all actions was pressed. */
  constructor({ icons, onRun, onMore }) {
    this.#icons = icons;
    this.#onRun = onRun;
    this.#onMore = onMore;
  }

  /** Show actions, each with `name`, `label` and `icon`, on an element. */
  show(element, actions) {
    const shown = actions.map(({ name }) => name).join();
    if (this.#bar.parentElement === element && shown === this.#shown) return;
    this.#shown = shown;
    const buttons = actions.map(({ name, label, icon }) => this.#makeButton(icon, label, (button) => this.#onRun(name, button)));
    const more = this.#makeButton("more", "More actions", (button) => this.#onMore(button));
    more.setAttribute("aria-haspopup", "menu");
    this.#bar.replaceChildren(...buttons, more);
    element.append(this.#bar);
  }

  hide() {
    this.#bar.remove();
  }

  /** Whether an element is one of its buttons. */
  contains(element) {
    return this.#bar.contains(element);
  }

  /** Handle a key that was pressed on a button; returns whether the key moved the focus within the bar. */
  press(meaning, event) {
    const step = SIDEWAYS[meaning];
    if (!step) return false;
    event.preventDefault();
    const buttons = [...this.#bar.children];
    buttons.at((buttons.indexOf(event.target) + step) % buttons.length).focus();
    return true;
  }

  #makeButton(icon, label, onClick) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "actions__button";
    button.title = label;
    button.setAttribute("aria-label", label);
    button.append(makeIcon(this.#icons, icon));
    button.addEventListener("click", () => onClick(button));
    return button;
  }
}

/** Moving the toolbar is not announced: screen readers find it at the focus. */
function makeBar() {
  const bar = document.createElement("div");
  bar.className = "actions";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Actions");
  bar.setAttribute("aria-live", "off");
  return bar;
}
