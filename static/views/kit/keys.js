/* Listens to keys. Every other module asks this one: no handler reads the key of an event by itself. */

import { isComposing, meaningOf, namesOf, shortcutOf } from "../../state/kit/keys.js";
import { isInFence } from "../../state/kit/text.js";

const { platform, userAgentData } = globalThis.navigator ?? {};

export const isMac = /^(?:mac|ip(?:hone|ad|od))/i.test(platform) || userAgentData?.platform === "macOS";

/** Where a key has an effect in the browser itself: it sends a form, closes a dialog, empties a field or moves the focus. */
const OF_BROWSER = { Enter: "form input", Escape: "dialog *, [popover] *, [type=search]", Tab: "*" };

/**
 * Call `press(meaning, event)` for each key that is pressed in an element (see `meaningOf`), never during a composition.
 * Some keyboards of phones hide the key Enter: the line break that follows is then the Enter.
 */
export function onKeys(element, press, options) {
  let isHidden = false;
  const take = (event) => {
    const meaning = meaningOf(event, isMac);
    isHidden = event.key === "Unidentified";
    if (meaning) press(meaning, event);
  };
  const takeHidden = (event) => isHidden && event.inputType === "insertLineBreak" && !event.isComposing && press("Enter", event);
  element.addEventListener("keydown", take, options);
  element.addEventListener("beforeinput", takeHidden, options);
}

/** Keep the browser from what it does with a key that an input method takes. */
export function protectCompositions(root) {
  const protect = (event) => isComposing(event) && event.target.matches?.(OF_BROWSER[event.key] ?? ":not(*)") && event.preventDefault();
  root.addEventListener("keydown", protect, { capture: true });
}

/** Whether there is only a touch screen: its keyboard has no Shift+Enter. */
export function isTouchOnly() {
  const matches = (query) => globalThis.matchMedia?.(query).matches;
  return Boolean(matches("(pointer: coarse)") && !matches("(any-pointer: fine)"));
}

/**
 * Whether a key in a field is the Enter that sends its text. In an open block of code and on a touch screen, Enter makes
 * a new line; with Ctrl or ⌘, it sends.
 */
export function isSubmit(meaning, { value, selectionStart }) {
  if (/^(?:Mod|Ctrl|Meta)\+Enter$/.test(meaning)) return true;
  return meaning === "Enter" && !isTouchOnly() && !isInFence(value, selectionStart);
}

/** Whether a modifier gives a click another meaning: a link in a new tab, a selection. */
export function isModified({ ctrlKey, metaKey, altKey, shiftKey }) {
  return ctrlKey || metaKey || altKey || shiftKey;
}

/** The names on the keys of a meaning, on this machine. */
export function nameKeys(meaning) {
  return namesOf(meaning, isMac);
}

const SIDEWAYS = { ArrowLeft: -1, ArrowRight: 1 };

/** Make the buttons in an element one stop of the Tab key: the arrow keys go from button to button. */
export function makeOneStop(bar) {
  stopAt(bar, bar.firstElementChild);
  onKeys(bar, (meaning, event) => {
    const step = SIDEWAYS[meaning];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const buttons = [...bar.children];
    const next = buttons.at((buttons.indexOf(event.target) + step) % buttons.length);
    stopAt(bar, next);
    next.focus();
  });
}

/** Let the Tab key stop at one of the buttons in an element. */
export function stopAt(bar, stop) {
  for (const button of bar.children) button.tabIndex = button === stop ? 0 : -1;
}

/** Tell assistive technology the keys that work like a button, or in a field. */
export function announceKeys(element, meanings) {
  element.setAttribute("aria-keyshortcuts", meanings.map((meaning) => shortcutOf(meaning, isMac)).join(" "));
}

/** Move the focus among the entries of a menu, in a circle. Without a focused entry, the first or the last gets it. */
export function moveAmong(items, meaning, event) {
  const index = items.indexOf(document.activeElement);
  const next = { ArrowDown: index + 1, ArrowUp: Math.max(index, 0) - 1, Home: 0, End: -1 }[meaning];
  if (next === undefined || !items.length) return;
  event.preventDefault();
  items.at(next % items.length).focus();
}

/** Let the keys work in the menus that are popovers, and on the buttons that opened them. */
export function startPopups() {
  onKeys(document, (meaning, event) => {
    if (event.target.matches?.("input, textarea, select")) return;
    const popup = event.target.closest?.(".popup") ?? event.target.popoverTargetElement;
    if (!popup?.matches(".popup:popover-open")) return;
    moveAmong([...popup.querySelectorAll(".popup__item")].filter((item) => item.checkVisibility()), meaning, event);
  });
}
