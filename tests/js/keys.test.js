import assert from "node:assert/strict";
import { test } from "node:test";
import { onKeys, protectCompositions } from "../../static/views/kit/keys.js";
import { meaningOf, namesOf, shortcutOf } from "../../static/state/kit/keys.js";

const CTRL = { ctrlKey: true };
const META = { metaKey: true };
const SHIFT = { shiftKey: true };
const ALT_GR = { getModifierState: (name) => name === "AltGraph" };

/** A key event as a browser sends it. */
function press(key, code, ...details) {
  return Object.assign({ key, code, keyCode: 0, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false }, ...details);
}

const elsewhere = (...key) => meaningOf(press(...key), false);
const onMac = (...key) => meaningOf(press(...key), true);

test("a letter of another script means the Latin letter on its key", () => {
  const layouts = {
    Russian: ["л", "K"], Ukrainian: ["і", "S"], Bulgarian: ["и", "B"], Greek: ["κ", "K"], Hebrew: ["ל", "K"], Arabic: ["ن", "K"],
    "Arabic, with two letters": ["لا", "B"], Persian: ["ن", "K"], Thai: ["า", "K"], "Thai, a sign over a letter": ["ิ", "B"],
    Hindi: ["क", "K"], Georgian: ["კ", "K"], Armenian: ["կ", "K"], Korean: ["ㅏ", "K"], Japanese: ["の", "K"],
  };
  for (const [layout, [key, letter]] of Object.entries(layouts)) {
    assert.equal(elsewhere(key, `Key${letter}`, CTRL), `Mod+${letter.toLowerCase()}`, layout);
    assert.equal(onMac(key, `Key${letter}`, META), `Mod+${letter.toLowerCase()}`, layout);
    assert.equal(elsewhere(key, `Key${letter}`), letter.toLowerCase(), layout);
  }
  assert.equal(elsewhere("Л", "KeyK", CTRL), "Mod+k", "with CapsLock");
  assert.equal(elsewhere("١", "Digit1", CTRL), "Mod+1");
});

test("a Latin letter means itself, wherever its key is", () => {
  assert.equal(elsewhere("k", "KeyV", CTRL), "Mod+k", "Dvorak");
  assert.equal(elsewhere("t", "KeyK", CTRL), "Mod+t", "Dvorak");
  assert.equal(elsewhere("e", "KeyK", CTRL), "Mod+e", "Colemak");
  assert.equal(elsewhere("a", "KeyQ"), "a", "AZERTY");
  assert.equal(elsewhere("é", "Digit2", CTRL), "Mod+é", "AZERTY");
  assert.equal(elsewhere("ı", "KeyI", CTRL), "Mod+i", "Turkish");
  assert.equal(elsewhere("i", "Quote", CTRL), "Mod+i", "Turkish");
  assert.equal(elsewhere("ｋ", "KeyK", CTRL), "Mod+k", "wide letters");
});

test("the case of a letter does not matter, and Shift does", () => {
  assert.equal(elsewhere("K", "KeyK", CTRL), "Mod+k");
  assert.equal(elsewhere("K", "KeyK", CTRL, SHIFT), "Mod+Shift+k");
  assert.equal(elsewhere("r", "KeyR", SHIFT), "Shift+r", "with CapsLock");
  assert.equal(elsewhere("Enter", "NumpadEnter", SHIFT), "Shift+Enter");
  assert.equal(elsewhere("Л", "KeyK", CTRL, SHIFT), "Mod+Shift+k");
});

test("a slash and a question mark mean the same, whatever types them", () => {
  const slashes = [["/", "Slash"], ["/", "Digit7", SHIFT], ["/", "NumpadDivide"], ["/", "Backslash", SHIFT], ["/", "KeyQ"], ["ظ", "Slash"], ["／", "Slash"], ["/", "KeyQ", ALT_GR]];
  for (const key of slashes) assert.equal(elsewhere(...key), "/", key[1]);
  const questions = [["?", "Slash", SHIFT], ["?", "Minus", SHIFT], ["?", "KeyM", SHIFT], ["؟", "Slash", SHIFT], ["ฦ", "Slash", SHIFT], ["？", "Slash", SHIFT], ["?", "KeyW", ALT_GR]];
  for (const key of questions) assert.equal(elsewhere(...key), "?", key[1]);
});

test("AltGr types characters, and triggers nothing", () => {
  const both = { ctrlKey: true, altKey: true };
  for (const key of [["ķ", "KeyK"], ["k", "KeyK"], ["€", "KeyE"], ["ł", "KeyL"], ["κ", "KeyK"]]) {
    assert.equal(elsewhere(...key, ALT_GR), "", `${key}, as Firefox reports it`);
    assert.equal(elsewhere(...key, ALT_GR, both), "", `${key}, as Chromium reports it`);
    assert.doesNotMatch(elsewhere(...key, both), /^Mod\+\w$|^\w$/, `${key}, by Ctrl and Alt`);
  }
  for (const key of [["˚", "KeyK"], ["®", "KeyR"], ["∫", "KeyB"], ["å", "KeyA"], ["Dead", "KeyE"]]) {
    assert.equal(onMac(...key, { altKey: true }), "", `Option types ${key}`);
  }
  assert.equal(elsewhere("k", "KeyK", { altKey: true }), "Alt+k");
});

test("⌘ is the modifier of a Mac, and Ctrl stays with its text fields", () => {
  assert.equal(onMac("k", "KeyK", META), "Mod+k");
  for (const letter of ["k", "b", "e", "n", "p", "a"]) assert.equal(onMac(letter, `Key${letter.toUpperCase()}`, CTRL), `Ctrl+${letter}`);
  assert.equal(elsewhere("k", "KeyK", META), "Meta+k", "the Windows key");
  assert.equal(onMac("Enter", "Enter", META), "Mod+Enter");
});

test("a key of a composition means nothing", () => {
  for (const key of ["Enter", "Escape", "Tab", "ArrowDown", "ArrowUp", "Home", "k"]) {
    assert.equal(elsewhere(key, key, { isComposing: true }), "");
    assert.equal(elsewhere(key, key, { keyCode: 229 }), "", "Safari, after the composition");
    assert.equal(elsewhere(key, key, CTRL, { isComposing: true }), "");
  }
  for (const key of ["Process", "Unidentified", "Dead", undefined]) assert.equal(elsewhere(key, ""), "");
});

/** A field that gets the events of key presses; returns the meanings that a handler got. */
function listen() {
  const field = new EventTarget();
  const taken = [];
  onKeys(field, (meaning) => taken.push(meaning));
  const send = (type, details) => field.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), details));
  return { field, taken, send };
}

const LINE_BREAK = { inputType: "insertLineBreak", isComposing: false };

test("the Enter that a keyboard of a phone hides is known by its line break", () => {
  const { taken, send } = listen();
  send("keydown", press("Unidentified", "", { keyCode: 229 }));
  send("beforeinput", { inputType: "insertCompositionText", isComposing: true });
  send("beforeinput", { ...LINE_BREAK, isComposing: true });
  assert.deepEqual(taken, []);
  send("beforeinput", LINE_BREAK);
  assert.deepEqual(taken, ["Enter"]);
});

test("the line break of a known key is no second Enter", () => {
  const { taken, send } = listen();
  send("keydown", press("Enter", "Enter", SHIFT));
  send("beforeinput", LINE_BREAK);
  send("keydown", press("Enter", "Enter", { isComposing: true, keyCode: 229 }));
  send("beforeinput", LINE_BREAK);
  assert.deepEqual(taken, ["Shift+Enter"]);
});

test("the Enter after the end of a composition counts once", () => {
  const { taken, send } = listen();
  send("keydown", press("Enter", "Enter", { isComposing: true, keyCode: 229 }));
  send("keydown", press("Enter", "Enter", { keyCode: 13 }));
  assert.deepEqual(taken, ["Enter"]);
});

test("in a composition, the browser sends no form, closes no dialog and moves no focus", () => {
  const kept = (place, key, details = { isComposing: true }) => {
    const { field, send } = listen();
    field.matches = (selector) => selector.split(", ").includes(place);
    protectCompositions(field);
    return send("keydown", press(key, key, details));
  };
  assert.ok(!kept("form input", "Enter") && !kept("form input", "Enter", { keyCode: 229 }));
  assert.ok(!kept("dialog *", "Escape") && !kept("[type=search]", "Escape", { keyCode: 229 }) && !kept("*", "Tab"));
  assert.ok(kept("form textarea", "Enter") && kept("form textarea", "Escape"), "keys without an effect of the browser");
  assert.ok(kept("form input", "a") && kept("form input", "Enter", {}) && kept("dialog *", "Escape", {}));
});

test("keys have the names that are printed on them", () => {
  assert.deepEqual(namesOf("Mod+k", false), ["Ctrl", "K"]);
  assert.deepEqual(namesOf("Mod+k", true), ["⌘", "K"]);
  assert.deepEqual(namesOf("Delete", false), ["Del"]);
  assert.deepEqual(namesOf("Delete", true), ["⌫"]);
  assert.deepEqual(namesOf("Shift+Enter", true), ["Shift", "Enter"]);
  assert.deepEqual(namesOf("?", true), ["?"]);
  assert.equal(shortcutOf("Mod+k", false), "Control+K");
  assert.equal(shortcutOf("Mod+k", true), "Meta+K");
  assert.equal(shortcutOf("Delete", true), "Delete");
  assert.equal(shortcutOf("/", false), "/");
});
