/* What can be done with a message: one toolbar that moves to where the mouse or the focus is, and one menu with all.

   Whoever has something that can be done adds it here; whether it may be done is the server's to say. */

import { shownName } from "../../state/kit/text.js";
import { isModified } from "./composer.js";
import { makeIcon } from "../kit/icon.js";
import { MenuView, nameOfKey } from "../kit/menu.js";

/** Actions of a lower order are in the toolbar as well, the others in the menu alone. */
export const IN_TOOLBAR = 100;

/** How far the keys lead, among the messages and in the toolbar. */
const STEPS = { ArrowUp: -1, ArrowDown: 1 };
const SIDEWAYS = { ArrowLeft: -1, ArrowRight: 1 };

export class Actions {
  #log;
  #timeline;
  #me;
  #icons;
  #actions = [];
  #bar;
  #menu;
  #at = null; // the element that has the toolbar
  #shown = "";

  /** `me`: `id` and `mayModerate`; `onLeave()`: somebody leaves the messages by keyboard. */
  constructor({ log, timeline, me, icons, onLeave }) {
    this.#log = log;
    this.#timeline = timeline;
    this.#me = me;
    this.#icons = icons;
    this.#menu = new MenuView({ icons });
    this.#bar = makeBar();
    log.addEventListener("pointerover", (event) => event.pointerType === "mouse" && this.#show(messageOf(event.target)));
    log.addEventListener("pointerleave", () => this.#show(messageOf(document.activeElement)));
    log.addEventListener("focusin", ({ target }) => this.#show(messageOf(target)));
    log.addEventListener("click", (event) => this.#click(event));
    log.addEventListener("keydown", (event) => this.#press(event, onLeave));
  }

  /** Add `{name, label, icon, order, key, isFor(message, me), run({message, element, anchor})}`.

      `label` may be a function of the message; `key` does it on the focused message; `isDanger` marks what is not undone. */
  add(action) {
    this.#actions.push(action);
    this.#actions.sort((a, b) => a.order - b.order);
  }

  /** Those that this person may use on a message. */
  of(message) {
    if (!message?.id || message.isProvisional) return [];
    return this.#actions.filter(({ isFor }) => isFor(message, this.#me));
  }

  /** The keys of the actions, each with what it does. */
  get keys() {
    return this.#actions.filter(({ key }) => key).map((action) => [nameOfKey(action.key), labelOf(action, {}).replace("…", "")]);
  }

  /** Do the action of this name on a message that is shown; answers whether it may be done. */
  run(name, element) {
    const action = this.of(this.#messageAt(element)).find((each) => each.name === name);
    if (action) this.#run(action, element, element);
    return Boolean(action);
  }

  /** A message changed: the toolbar on it may be out of date. */
  renew() {
    if (this.#at) this.#show(this.#at.isConnected ? this.#at : null);
  }

  #show(element) {
    const actions = this.of(this.#messageAt(element));
    const shown = actions.map(({ name, label }) => `${name} ${typeof label}`).join();
    if (!actions.length) {
      this.#bar.remove();
      this.#at = null;
      return;
    }
    if (element === this.#at && shown === this.#shown && this.#bar.isConnected) return;
    this.#at = element;
    this.#shown = shown;
    const message = this.#messageAt(element);
    const buttons = actions.filter(({ order }) => order < IN_TOOLBAR).map((action) => this.#button(action, message));
    const more = this.#makeButton("more", "More actions", (anchor) => this.#open(element, anchor));
    more.setAttribute("aria-haspopup", "menu");
    this.#bar.replaceChildren(...buttons, more);
    element.append(this.#bar);
  }

  #button(action, message) {
    return this.#makeButton(action.icon, labelOf(action, message), (anchor) => this.#run(action, messageOf(anchor), anchor));
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

  #open(element, anchor) {
    const message = this.#messageAt(element);
    const items = this.of(message).map((action) => ({
      ...action,
      label: labelOf(action, message),
      run: () => this.#run(action, element, anchor),
    }));
    if (items.length) this.#menu.open({ label: `Actions for the message of ${shownName(message.author)}`, items, anchor });
  }

  #run(action, element, anchor) {
    const message = this.#messageAt(element);
    if (message) action.run({ message, element, anchor });
  }

  #click(event) {
    const link = event.target.closest("[data-more]");
    if (!link || isModified(event)) return;
    const element = messageOf(link);
    if (!this.of(this.#messageAt(element)).length) return;
    event.preventDefault();
    this.#open(element, link);
  }

  /** Arrows walk from message to message; a letter does what it stands for. */
  #press(event, onLeave) {
    if (isModified(event) || event.isComposing) return;
    if (this.#bar.contains(event.target)) this.#pressInBar(event);
    else if (event.target === this.#log) this.#pressOnLog(event, null, onLeave);
    else if (event.target.matches("[data-message]")) this.#pressOnMessage(event, onLeave);
  }

  #pressInBar(event) {
    const { target, key } = event;
    if (SIDEWAYS[key]) move(event, target, SIDEWAYS[key]);
    else if (STEPS[key]) this.#walk(event, STEPS[key], this.#at);
    else if (key === "Escape") focusOn(event, this.#at);
  }

  /** `from` is the message that has the focus, where one has. */
  #pressOnLog(event, from, onLeave) {
    if (STEPS[event.key]) this.#walk(event, STEPS[event.key], from);
    else if (event.key === "Escape") onLeave();
  }

  #pressOnMessage(event, onLeave) {
    const { target, key } = event;
    if (STEPS[key] || key === "Escape") this.#pressOnLog(event, target, onLeave);
    else if (key === "Enter" || key === "ContextMenu") {
      event.preventDefault();
      this.#open(target, target);
    } else this.#pressLetter(event, target);
  }

  #pressLetter(event, element) {
    const action = this.of(this.#messageAt(element)).find((each) => each.key === event.key);
    if (!action) return;
    event.preventDefault();
    this.#run(action, element, element);
  }

  #walk(event, step, from) {
    const elements = [...this.#log.querySelectorAll("[data-messages] > [data-message]")];
    const index = from ? elements.indexOf(from) + step : this.#findInView(elements, step);
    if (elements[index]) focusOn(event, elements[index]);
  }

  /** From the log itself: down begins with the first in view, up with the last. */
  #findInView(elements, step) {
    const { top, bottom } = this.#log.getBoundingClientRect();
    const isInView = (element) => {
      const box = element.getBoundingClientRect();
      return box.top < bottom - 1 && box.bottom > top + 1;
    };
    return step > 0 ? elements.findIndex(isInView) : elements.findLastIndex(isInView);
  }

  #messageAt(element) {
    return element && this.#timeline.find(Number(element.dataset.sequence));
  }
}

function labelOf({ label }, message) {
  return typeof label === "function" ? label(message) : label;
}

function messageOf(element) {
  return element?.closest?.("[data-messages] > [data-message]") ?? null;
}

function focusOn(event, element) {
  event.preventDefault();
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "nearest" });
}

function move(event, button, step) {
  event.preventDefault();
  const buttons = [...button.parentElement.children];
  buttons.at((buttons.indexOf(button) + step) % buttons.length).focus();
}

/** Not announced when it moves: it is found where the focus is. */
function makeBar() {
  const bar = document.createElement("div");
  bar.className = "actions";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Actions");
  bar.setAttribute("aria-live", "off");
  return bar;
}
