/* Changes the text of a text field as typing does: the browser can undo the change, and tells it by an `input` event. */

import { toggleMark } from "../../state/messages/formatting.js";
import { announceKeys, onKeys } from "./keys.js";

const MARKS = { "Mod+b": "**", "Mod+i": "*" };

/** Replace a part of a field's text, and give the field the focus; the caret is behind the new text. */
export function replaceText(field, text, start, end) {
  field.focus();
  field.setSelectionRange(start, end);
  if (!text && start === end) return;
  // Deprecated, but no other function keeps what Ctrl+Z undoes.
  if (document.execCommand(text ? "insertText" : "delete", false, text)) return;
  field.setRangeText(text, start, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Let the keys of bold and italic put the marks of Markdown around the selection, or take them away. */
export function formatByKeys(field) {
  announceKeys(field, Object.keys(MARKS));
  onKeys(field, (meaning, event) => {
    if (!MARKS[meaning] || field.readOnly) return;
    event.preventDefault();
    const { text, start, end, selection } = toggleMark(field.value, [field.selectionStart, field.selectionEnd], MARKS[meaning]);
    if (text !== field.value.slice(start, end)) replaceText(field, text, start, end);
    field.setSelectionRange(...selection);
  });
}
