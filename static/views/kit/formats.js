/* The formats of a text field, by keys and by buttons: each puts the marks of Markdown around the selection, or takes them away. */

import { toggleCode, toggleLink, toggleList, toggleMark, toggleQuote } from "../../state/messages/formatting.js";
import { insertText } from "./fields.js";
import { announceKeys, makeOneStop, nameKeys, onKeys } from "./keys.js";
import { makeIcon } from "./signs.js";

const FORMATS = [
  { label: "Bold", icon: "bold", key: "Mod+b", toggle: (...at) => toggleMark(...at, "**") },
  { label: "Italic", icon: "italic", key: "Mod+i", toggle: (...at) => toggleMark(...at, "*") },
  { label: "Code", icon: "code", toggle: toggleCode },
  // Without a selection, the key leads to another room.
  { label: "Link", icon: "link", key: "Mod+k", isForSelection: true, toggle: toggleLink },
  { label: "List", icon: "bullets", toggle: toggleList },
  { label: "Quote", icon: "quote", toggle: toggleQuote },
];

/** Let the keys of the formats work in a field. */
export function formatByKeys(field) {
  announceKeys(field, FORMATS.flatMap(({ key }) => key ?? []));
  onKeys(field, (meaning, event) => {
    const format = FORMATS.find(({ key }) => key === meaning);
    if (!format || field.readOnly || (format.isForSelection && field.selectionStart === field.selectionEnd)) return;
    event.preventDefault();
    apply(format, field);
  });
}

/** Make an element the toolbar of a field: one stop of the Tab key, with a button for each format. */
export function fillFormats(bar, field, icons) {
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Formatting");
  bar.append(...FORMATS.map((format) => makeButton({ format, field, icons })));
  // The field keeps the focus, and a phone its keyboard.
  bar.addEventListener("mousedown", (event) => event.preventDefault());
  makeOneStop(bar);
}

function makeButton({ format, field, icons }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "tool";
  button.title = format.key ? `${format.label} (${nameKeys(format.key).join("+")})` : format.label;
  button.setAttribute("aria-label", format.label);
  button.append(makeIcon(icons, format.icon));
  button.addEventListener("click", () => apply(format, field));
  return button;
}

/** Change the text in one step, which the browser's undo takes back. */
function apply({ toggle }, field) {
  const { text, start, end, selection } = toggle(field.value, [field.selectionStart, field.selectionEnd]);
  insertText(field, text, start, end);
  field.setSelectionRange(...selection);
}
