/* Inserts text into a text field as if it was typed: the browser's undo takes it back. */

/** Replace a part of a field's text; without `start` and `end`, replace the selection. The caret is after the text. */
export function insertText(field, text, start = field.selectionStart, end = field.selectionEnd) {
  field.focus();
  field.setSelectionRange(start, end);
  if (start === end && !text) return;
  // Deprecated, but the only way that keeps the undo history. It also fires the event `input`.
  if (document.execCommand(text ? "insertText" : "delete", false, text)) return;
  field.setRangeText(text, start, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
