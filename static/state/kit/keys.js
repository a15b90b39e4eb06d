/* The meaning of a pressed key: the same on every keyboard layout, and none while an input method composes. No DOM. */

const IME_KEY = 229; // Safari ends a composition before the key that ended it, so `isComposing` is not enough
const WITHOUT_MEANING = new Set(["Dead", "Process", "Unidentified", "AltGraph"]);

/** Named keys, such as "Enter". A key of a layout may type several letters, such as the Arabic لا. */
const NAMED = /^[A-Z][A-Za-z0-9]+$/;
const SIGN = /^[!-/:-@[-`{-~]$/;
const BY_PLACE = /^(?:Key|Digit)([A-Z0-9])$/;

/** Characters that mean a key of ASCII: the two letters i of Turkish, and the Arabic question mark. */
const TWINS = { ı: "i", İ: "i", "؟": "?" };

/** Whether a key belongs to an input method that is composing a word. */
export function isComposing({ isComposing: isInside, keyCode }) {
  return Boolean(isInside) || keyCode === IME_KEY;
}

/**
 * The meaning of a pressed key: "Enter", "Shift+Tab", "Mod+k", "?"; "" for a key that must do nothing.
 * "Mod" is ⌘ on a Mac and Ctrl elsewhere. A letter of a script that is not Latin means the Latin letter on its key.
 * AltGr (on a Mac, Option) types characters: then only a sign of ASCII has a meaning.
 */
export function meaningOf(event, isMac) {
  const { key } = event;
  if (!key || WITHOUT_MEANING.has(key) || isComposing(event)) return ""; // autofill sends events without a key
  if (NAMED.test(key)) return [...modifiersOf(event, isMac), key].join("+");
  if (hasAltGr(event, isMac)) return SIGN.test(key) ? key : "";
  const character = characterOf(event);
  // Characters without a case need Shift on some layouts, so Shift is no part of their meaning.
  const modifiers = modifiersOf(event, isMac).filter((name) => name !== "Shift" || /\p{L}/u.test(character));
  return [...modifiers, character].join("+");
}

function modifiersOf({ ctrlKey, metaKey, altKey, shiftKey }, isMac) {
  const held = isMac ? { Mod: metaKey, Ctrl: ctrlKey } : { Mod: ctrlKey, Meta: metaKey };
  return Object.entries({ ...held, Alt: altKey, Shift: shiftKey }).flatMap(([name, isHeld]) => (isHeld ? name : []));
}

function hasAltGr(event, isMac) {
  return event.getModifierState?.("AltGraph") || (isMac && event.altKey && !event.metaKey);
}

/** The character that a key means, without its case. */
function characterOf({ key, code = "", shiftKey }) {
  const character = TWINS[key] ?? key.replace(/^[！-～]$/u, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0));
  if (/^[\p{L}\p{M}\p{N}]/u.test(character) && !/^[\p{Script=Latin}0-9]/u.test(character)) {
    if (code === "Slash") return shiftKey ? "?" : "/";
    return code.match(BY_PLACE)?.[1].toLowerCase() ?? character;
  }
  return character.toLowerCase();
}

const NAMES = { Delete: "Del", Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓", Mod: "Ctrl" };
const NAMES_ON_MAC = { ...NAMES, Delete: "⌫", Mod: "⌘" };

/** The names on the keys of a meaning: "Mod+k" is ["Ctrl", "K"], on a Mac ["⌘", "K"]. */
export function namesOf(meaning, isMac) {
  const names = isMac ? NAMES_ON_MAC : NAMES;
  return meaning.split("+").map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}

/** The value of `aria-keyshortcuts` for a meaning. */
export function shortcutOf(meaning, isMac) {
  return meaning.replace("Mod", isMac ? "Meta" : "Control").replace(/\b[a-z]$/, (letter) => letter.toUpperCase());
}
