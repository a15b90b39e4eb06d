/* The keyboard shortcuts of the room's page, and the list that shows them. */

import { makeText } from "./dialog.js";
import { announceKeys, nameKeys, onKeys } from "./keys.js";

/** Keys that work outside of text fields; `run(find)` returns whether the key did something. */
const ANYWHERE = [
  {
    key: "/",
    says: "Search",
    run: (find) => {
      const field = find("search");
      field?.focus();
      field?.select();
      return Boolean(field);
    },
  },
  { key: "?", says: "Show this list", run: (_, open) => open() },
];

/** Shortcuts that other parts of the page implement. */
const ELSEWHERE = [
  ["Anywhere", [["Mod+k", "Go to a room", "rooms"]]],
  [
    "While writing",
    [
      ["Enter", "Send"],
      ["Shift+Enter", "Start a new line"],
      ["Mod+Enter", "Send, also from an open block of code"],
      ["Mod+b", "Bold"],
      ["Mod+i", "Italic"],
      ["Mod+k", "Make a link of the selected text"],
      ["ArrowUp", "Edit your last message, when the field is empty"],
      ["Escape", "Cancel the reply"],
    ],
  ],
  [
    "Among the messages",
    [
      ["Shift+Tab", "Go there from the message field"],
      ["ArrowUp ArrowDown", "Go from message to message"],
      ["Enter", "Show the actions of a message"],
      ["Escape", "Go to the message field"],
    ],
  ],
];

/** A key that types a character. */
const TYPED = /^(?:Shift\+)?\S$/u;
const WRITING = "input, textarea, select, [contenteditable], dialog *";

/** Listen to the keys, and add the button that lists the shortcuts; `actions` are the actions on a message, some with a key. */
export function startShortcuts({ find, place, actions }) {
  const dialog = makeDialog();
  const open = () => {
    dialog.querySelector(".keys").replaceChildren(...describe(find, actions));
    dialog.showModal();
    dialog.scrollTop = 0; // the focus is on the button at the end
    return true;
  };
  onKeys(document, (meaning, event) => {
    const shortcut = event.target.matches?.(WRITING) ? null : ANYWHERE.find(({ key }) => key === meaning);
    if (shortcut?.run(find, open)) event.preventDefault();
    // Who begins to write writes a message: the character goes into the field that has the focus by then.
    else if (event.target === document.body && TYPED.test(meaning)) find("text")?.focus();
  });
  if (find("search")) announceKeys(find("search"), ["/"]);
  const button = makeText("button", "keys-button", "Keyboard shortcuts");
  button.type = "button";
  announceKeys(button, ["?"]);
  button.addEventListener("click", open);
  place.after(" ", button);
}

function describe(find, actions) {
  return ELSEWHERE.flatMap(([title, lines]) => {
    const own = lines.filter(([, , hook]) => !hook || find(hook)).map(([keys, says]) => [keys, says]);
    if (title === "Anywhere") own.unshift(...ANYWHERE.map(({ key, says }) => [key, says]));
    if (title === "Among the messages") own.push(...actions.keys);
    return [makeText("h3", "keys__title", title), makeList(own)];
  });
}

function makeList(lines) {
  const list = document.createElement("dl");
  list.className = "keys__list";
  for (const [keys, says] of lines) {
    const term = document.createElement("dt");
    for (const key of keys.split(" ").flatMap(nameKeys)) term.append(makeText("kbd", "key", key), " ");
    list.append(term, makeText("dd", "", says));
  }
  return list;
}

function makeDialog() {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog dialog--wide";
  dialog.setAttribute("aria-label", "Keyboard shortcuts");
  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "dialog__form";
  const keys = document.createElement("div");
  keys.className = "keys";
  const buttons = document.createElement("p");
  buttons.className = "dialog__buttons";
  buttons.append(makeText("button", "button button--outline", "Close"));
  form.append(makeText("h2", "dialog__title", "Keyboard shortcuts"), keys, buttons);
  dialog.append(form);
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  document.body.append(dialog);
  return dialog;
}
