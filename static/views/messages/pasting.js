/* Pastes into text fields: files are attached, formatted text becomes Markdown, plain text stays exactly as it is. */

import { countCharacters } from "../../state/kit/text.js";
import { areOnlyFiles, between, isAddress, isInCode, isSameText, linkOver } from "../../state/messages/pasted.js";
import { filesOf } from "../files/drops.js";
import { insertText } from "../kit/fields.js";
import { onKeys } from "../kit/keys.js";

/** The module that reads formatted text, once it was needed. */
let converter = null;

/**
 * Handle the pastes into a text field. `onFiles({files, folders})` takes pasted files;
 * `onLong(text)` takes a text that is too long for a message.
 */
export function acceptPastes(field, { maxLength, onFiles, onLong }) {
  let isPlain = false;
  onKeys(field, (meaning) => {
    isPlain = meaning === "Mod+Shift+v";
  });
  field.addEventListener("paste", (event) => {
    const pasted = read(event.clipboardData);
    const paste = pasted && choose(field, pasted, { maxLength, isPlain, onFiles, onLong });
    isPlain = false;
    if (!paste) return; // the browser inserts the plain text
    event.preventDefault();
    paste();
  });
}

function read(data) {
  if (!data) return null;
  const text = data.getData("text/plain").replaceAll(/\r\n?/g, "\n");
  return { text, html: data.getData("text/html"), types: [...data.types], ...filesOf(data) };
}

/** The function that pastes; nothing where the browser's own paste is right. */
function choose(field, pasted, { maxLength, isPlain, onFiles, onLong }) {
  const { text, html, types, files, folders } = pasted;
  const names = [...files.map(({ name }) => name), ...folders];
  if (areOnlyFiles({ names, types, text })) return () => onFiles(pasted);
  if (maxLength && countCharacters(text) > maxLength) return () => onLong(text);
  if (isPlain || isInCode(field.value, field.selectionStart)) return null;
  const link = linkOver(field.value.slice(field.selectionStart, field.selectionEnd), text);
  if (link) return () => insertText(field, link);
  const isFormatted = html && !types.includes("vscode-editor-data") && !isAddress(text.trim());
  return isFormatted ? () => pasteHtml(field, pasted, onFiles) : null;
}

/** While the module is loaded, the plain text is in its place: it can be sent, and what is typed follows it. */
async function pasteHtml(field, pasted, onFiles) {
  if (converter) {
    insertConverted(field, pasted, onFiles);
    return;
  }
  const { text } = pasted;
  const start = field.selectionStart;
  insertText(field, text);
  const { value, selectionStart: end } = field;
  converter = await import("../kit/markdown.js").catch(() => null);
  const isUnchanged = field.isConnected && field.value === value && document.activeElement === field;
  if (isUnchanged) insertConverted(field, pasted, onFiles, start, end);
  else if (!text) insertConverted(field, pasted, onFiles);
}

function insertConverted(field, pasted, onFiles, start = field.selectionStart, end = field.selectionEnd) {
  const { text, html, files } = pasted;
  const { markdown, isCode, hasText } = convert(html, text);
  if (files.length && !hasText) onFiles(pasted);
  else if (isCode || isSameText(markdown, text)) insertText(field, text, start, end);
  else insertText(field, between(field.value.slice(0, start), markdown, field.value.slice(end)), start, end);
}

/** The plain text, if the module could not be loaded, or the HTML is nested too deep. */
function convert(html, text) {
  try {
    return converter.convert(html);
  } catch {
    return { markdown: text, isCode: false, hasText: text.trim() !== "" };
  }
}
