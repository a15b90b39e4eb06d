/* How keys and clicks are to be understood, and the names of keys. */

const IME_KEY = 229; // Safari ends a composition before the key that ended it
const NAMES = { Delete: "Del" };

/** Whether a key belongs to an input method that is composing a word. */
export function isComposing(event) {
  return event.isComposing || event.keyCode === IME_KEY;
}

/** Whether a key in a text is the Enter that sends it: not one for a new line, nor one that picks a word. */
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
