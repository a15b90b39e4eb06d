/* The keys of bold and italic in a text field. */

import { toggleMark } from "../../state/messages/formatting.js";
import { insertText } from "./insert.js";
import { announceKeys, onKeys } from "./keys.js";

const MARKS = { "Mod+b": "**", "Mod+i": "*" };

/** Let the keys of bold and italic put the marks of Markdown around the selection, or take them away. */
export function formatByKeys(field) {
  announceKeys(field, Object.keys(MARKS));
  onKeys(field, (meaning, event) => {
    if (!MARKS[meaning] || field.readOnly) return;
    event.preventDefault();
    const { text, start, end, selection } = toggleMark(field.value, [field.selectionStart, field.selectionEnd], MARKS[meaning]);
    if (text !== field.value.slice(start, end)) insertText(field, text, start, end);
    field.setSelectionRange(...selection);
  });
}
