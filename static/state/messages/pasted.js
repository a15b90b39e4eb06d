/* Decides what a paste means. No DOM. */

import { isInFence } from "../kit/text.js";

const ADDRESS = /^(?:https?:\/\/|mailto:)\S+$/i;
const BLOCK = /^(?:\| |#{1,6} |> |- |\d+\. |```)/;

export function isAddress(text) {
  return ADDRESS.test(text);
}

/** A link in Markdown. The text may have formats; its line breaks become spaces. */
export function writeLink(text, address) {
  const isBalanced = /^[^()]*(?:\([^()]*\)[^()]*)*$/.test(address);
  const unsafe = isBalanced ? /[\s<>\\|]/g : /[\s<>\\|()]/g;
  const href = address.replaceAll(unsafe, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  return `[${text.replaceAll(/(?<!\\)[[\]]/g, "\\$&").replaceAll(/\s*\n\s*/g, " ")}](${href})`;
}

/**
 * Whether files were copied, and their text is no more than their names, paths or address.
 * Office programs also copy a picture of the text: they copy formatted text, too.
 */
export function areOnlyFiles({ names, types, text }) {
  if (!names.length || types.some((type) => type === "text/html" || type.endsWith("/rtf"))) return false;
  const ends = names.map((name) => name.normalize());
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim());
  return lines.every((line) => /^(?:https?|file):\S+$/.test(line) || ends.some((name) => line.trim().normalize().endsWith(name)));
}

/** Whether text at the caret is code: in an open block, or after an open backtick of the line. */
export function isInCode(text, caret) {
  const line = text.slice(text.lastIndexOf("\n", caret - 1) + 1, caret);
  return isInFence(text, caret) || line.split("`").length % 2 === 0;
}

/** The link over a selected text, if the pasted text is an address; otherwise "". */
export function linkOver(selected, pasted) {
  const address = pasted.trim();
  const isText = selected.trim() && !selected.includes("\n") && !isAddress(selected.trim());
  return isText && isAddress(address) ? writeLink(selected, address) : "";
}

/** Whether Markdown shows the same as the plain text: then the copied text has no formats. */
export function isSameText(markdown, plain) {
  const bare = (text) => text.replaceAll(/\\(?=[*_~`[\]#>.)+-])|\s/g, "");
  return bare(markdown) === bare(plain);
}

/** Markdown between other texts: a list, a table and the like begin and end at a line of their own. */
export function between(before, markdown, after) {
  if (!BLOCK.test(markdown)) return markdown;
  return (before && !before.endsWith("\n") ? "\n" : "") + markdown + (after && !after.startsWith("\n") ? "\n" : "");
}
