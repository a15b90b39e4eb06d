/* Interprets keys and clicks, and names keys. */

const IME_KEY = 229; // Safari ends a composition before the key that ended it
const NAMES = { Delete: "Del" };

/** Whether a key belongs to an input method that is composing a word. */
export function isComposing(event) {
  return event.isComposing || event.keyCode === IME_KEY;
}

/** Whether a key in a text field is the Enter that sends the text, not a new line or a choice of the input method. */
export function isSubmit(event) {
  return event.key === "Enter" && !event.shiftKey && !event.altKey && !isComposing(event);
}

/** Whether a modifier gives a key or a click another meaning: a link in a new tab, a command of the browser. */
export function isModified({ ctrlKey, metaKey, altKey, shiftKey }) {
  return ctrlKey || metaKey || altKey || shiftKey;
}

export function nameOfKey(key) {
  return NAMES[key] ?? key.toUpperCase();
}
