/* Text fields: inserting as if it was typed, and a height that follows the text. */

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
  holdHeight(field);
  // Deprecated, but the only way that keeps the undo history. It also fires the event `input`.
  if (document.execCommand(text ? "insertText" : "delete", false, text)) return;
  field.setRangeText(text, start, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Keep the place of what is above a field while its text is replaced. */
export function keepHeight(field) {
  field.addEventListener("beforeinput", () => holdHeight(field));
}

/**
 * Keep the height of a field's box until the edit is complete: between deleting and inserting, the browser lays out the
 * page with an empty field, and the log would scroll.
 */
function holdHeight({ parentElement: box }) {
  box.style.minBlockSize = `${box.offsetHeight}px`;
  requestAnimationFrame(() => {
    box.style.minBlockSize = "";
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
