/* The actions on messages: in the toolbar, in the menu, and by keys.

   The server decides whether an action is allowed. */

import { shownName } from "../../state/kit/text.js";
import { isMac, isModified, onKeys } from "../kit/keys.js";
import { onLongPress } from "../kit/long_press.js";
import { MenuView } from "../kit/menu.js";
import { Toolbar } from "./toolbar.js";

/** Actions with a lower order are also in the toolbar, the others only in the menu. */
const IN_TOOLBAR = 100;

/** The keys that move from message to message. */
const STEPS = { ArrowUp: -1, ArrowDown: 1 };

export class Actions {
  #log;
  #timeline;
  #me;
  #actions;
  #toolbar;
  #menu;
  #at = null; // the message under the mouse, or with the focus

  /**
   * `actions`: each `{name, label, icon, order, key, isFor(message, me), run({message, element, anchor})}`, where `label`
   * may be a function of the message, `key` runs it on the focused message, and `isDanger` marks an action that cannot be undone.
   * `onLeave()`: Escape was pressed among the messages.
   */
  constructor({ page, timeline, actions, onLeave }) {
    const { data, find, user, mayModerate } = page;
    this.#log = find("log");
    this.#timeline = timeline;
    this.#me = { id: user.id, mayModerate };
    this.#actions = [...actions].sort((a, b) => a.order - b.order);
    this.#menu = new MenuView({ icons: data.icons });
    this.#toolbar = new Toolbar({
      icons: data.icons,
      onRun: (name, button) => this.#run(name, messageOf(button), button),
      onMore: (button) => this.#open(messageOf(button), button),
    });
    const log = this.#log;
    log.addEventListener("pointerover", (event) => event.pointerType === "mouse" && this.#show(messageOf(event.target)));
    log.addEventListener("pointerleave", () => this.#show(messageOf(document.activeElement)));
    log.addEventListener("focusin", ({ target }) => this.#show(messageOf(target)));
    log.addEventListener("click", (event) => this.#click(event));
    onKeys(log, (meaning, event) => this.#press(meaning, event, onLeave));
    onLongPress(log, (target) => this.#open(messageOf(target), messageOf(target)));
  }

  /** The keys of the actions, each with its label. */
  get keys() {
    return this.#actions.filter(({ key }) => key).map((action) => [action.key, labelOf(action, {}).replace("…", "")]);
  }

  /** Run an action on a message on the page, if the person may use it. */
  run(name, element) {
    this.#run(name, element, element);
  }

  /** Messages changed: the message under the pointer may have other actions now. */
  renew() {
    this.#show(this.#at?.isConnected ? this.#at : null);
  }

  #show(element) {
    this.#at = element;
    const actions = this.#of(element);
    if (actions.length) this.#toolbar.show(element, actions.filter(({ order }) => order < IN_TOOLBAR));
    else this.#toolbar.hide();
  }

  /** The actions that this person may use on the message of an element, each with its `label` as a text. */
  #of(element) {
    const message = this.#messageAt(element);
    if (!message?.id || message.isProvisional) return [];
    const actions = this.#actions.filter(({ isFor }) => isFor(message, this.#me));
    return actions.map((action) => ({ ...action, label: labelOf(action, message) }));
  }

  #open(element, anchor) {
    const items = this.#of(element).map((action) => ({
      ...action,
      // The toolbar with the pressed button is gone when the pointer leaves the log for the menu.
      run: () => this.#run(action.name, element, anchor.isConnected ? anchor : element),
    }));
    if (!items.length) return false;
    this.#menu.open({ label: `Actions for the message of ${shownName(this.#messageAt(element).author)}`, items, anchor });
    return true;
  }

  #run(name, element, anchor) {
    const action = this.#of(element).find((each) => each.name === name);
    action?.run({ message: this.#messageAt(element), element, anchor });
  }

  #click(event) {
    if (event.pointerType === "touch") this.#show(messageOf(event.target)); // on a screen that has a mouse, too
    const link = event.target.closest("[data-more]");
    if (!link || isModified(event)) return;
    if (this.#open(messageOf(link), link)) event.preventDefault();
  }

  /** Arrow keys move from message to message; a letter runs the action with that key. */
  #press(meaning, event, onLeave) {
    if (this.#toolbar.contains(event.target)) this.#pressInToolbar(meaning, event);
    else if (event.target === this.#log) this.#pressOnLog(meaning, event, { from: null, onLeave });
    else if (event.target.matches("[data-message]")) this.#pressOnMessage(meaning, event, onLeave);
  }

  #pressInToolbar(meaning, event) {
    if (this.#toolbar.press(meaning, event)) return;
    if (STEPS[meaning]) walk(event, this.#log, { from: this.#at, step: STEPS[meaning] });
    else if (meaning === "Escape") focusOn(event, this.#at);
  }

  /** `from` is the message with the focus, if there is one. */
  #pressOnLog(meaning, event, { from, onLeave }) {
    if (STEPS[meaning]) walk(event, this.#log, { from, step: STEPS[meaning] });
    else if (meaning === "Escape") onLeave();
  }

  #pressOnMessage(meaning, event, onLeave) {
    const { target } = event;
    if (STEPS[meaning] || meaning === "Escape") {
      this.#pressOnLog(meaning, event, { from: target, onLeave });
      return;
    }
    const key = isMac && meaning === "Backspace" ? "Delete" : meaning; // few keyboards of Macs have another Delete
    const action = this.#of(target).find((each) => each.key === key);
    if (key === "Enter" || key === "ContextMenu" || key === "Shift+F10") this.#open(target, target);
    else if (action) this.#run(action.name, target, target);
    else return;
    event.preventDefault();
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

/** Move to the next message; from the log itself, down starts at the first visible message, up at the last. */
function walk(event, log, { from, step }) {
  const elements = [...log.querySelectorAll("[data-messages] > [data-message]")];
  const index = from ? elements.indexOf(from) + step : findInView(log, elements, step);
  if (elements[index]) focusOn(event, elements[index]);
}

function findInView(log, elements, step) {
  const { top, bottom } = log.getBoundingClientRect();
  const isInView = (element) => {
    const box = element.getBoundingClientRect();
    return box.top < bottom - 1 && box.bottom > top + 1;
  };
  return step > 0 ? elements.findIndex(isInView) : elements.findLastIndex(isInView);
}
