/* Interprets keys and clicks, and names keys. */

import { isInFence } from "../../state/kit/text.js";

const IME_KEY = 229; // Safari ends a composition before the key that ended it
const NAMES = { Delete: "Del" };

/** Whether a key belongs to an input method that is composing a word. */
export function isComposing(event) {
  return event.isComposing || event.keyCode === IME_KEY;
}

/**
 * Whether a key in a text field is the Enter that sends the text, not a new line or a choice of the input method.
 * In an open block of code, Enter makes a new line; with Ctrl or ⌘, it sends.
 */
export function isSubmit(event) {
  if (event.key !== "Enter" || event.shiftKey || event.altKey || isComposing(event)) return false;
  return event.ctrlKey || event.metaKey || !isInFence(event.target.value, event.target.selectionStart);
}

/** Whether a modifier gives a key or a click another meaning: a link in a new tab, a command of the browser. */
export function isModified({ ctrlKey, metaKey, altKey, shiftKey }) {
  return ctrlKey || metaKey || altKey || shiftKey;
}

export function nameOfKey(key) {
  return NAMES[key] ?? key.toUpperCase();
}
