/* Pastes into text fields: files are attached, formatted text becomes Markdown, plain text stays exactly as it is. */

import { countCharacters } from "../../state/kit/text.js";
import { areOnlyFiles, between, isAddress, isInCode, isSameText, linkOver } from "../../state/messages/pasted.js";
import { filesOf } from "../files/drops.js";
import { insertText } from "../kit/insert.js";
import { onKeys } from "../kit/keys.js";

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

async function pasteHtml(field, pasted, onFiles) {
  const { text, html, files } = pasted;
  const { markdown, isCode, hasText } = await convert(html, text);
  if (files.length && !hasText) onFiles(pasted);
  else if (isCode || isSameText(markdown, text)) insertText(field, text);
  else insertText(field, between(field.value.slice(0, field.selectionStart), markdown, field.value.slice(field.selectionEnd)));
}

/** The module is loaded at the first paste of formatted text. If that fails, the plain text is pasted. */
async function convert(html, text) {
  try {
    return (await import("../kit/markdown.js")).convert(html);
  } catch {
    return { markdown: text, isCode: false, hasText: text.trim() !== "" };
  }
}
