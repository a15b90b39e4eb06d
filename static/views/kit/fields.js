/* Text fields: inserting as if it was typed, the keys of bold and italic, and a height that follows the text. */

import { toggleMark } from "../../state/messages/formatting.js";
import { announceKeys, onKeys } from "./keys.js";

const MARKS = { "Mod+b": "**", "Mod+i": "*" };

/**
 * Replace a part of a field's text, so that the browser's undo takes it back; without `start` and `end`, replace the
 * selection. The caret is after the text. A field that is no longer on the page, or is read-only, does not change.
 */
export function insertText(field, text, start = field.selectionStart, end = field.selectionEnd) {
  if (!field.isConnected || field.readOnly) return;
  field.focus();
  const isSame = field.value.slice(start, end) === text;
  field.setSelectionRange(isSame ? end : start, end);
  if (isSame) return;
  // Deprecated, but the only way that keeps the undo history. It also fires the event `input`.
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
    insertText(field, text, start, end);
    field.setSelectionRange(...selection);
  });
}

/**
 * Make a field as high as its text, where CSS cannot (`field-sizing`): in Safari before 26.2, in Firefox before 2026.
 * The style sheet of the field has the limits.
 */
export function fitHeight(field) {
  if (CSS.supports("field-sizing", "content")) return;
  // The margin keeps the height of what is around the field, so that the log does not scroll while this measures.
  field.style.marginBlockEnd = `${field.offsetHeight}px`;
  field.style.blockSize = "0";
  const border = field.offsetHeight - field.clientHeight;
  field.style.blockSize = `${field.scrollHeight + border}px`;
  field.style.marginBlockEnd = "";
}
