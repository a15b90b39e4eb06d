/* Writes text with formats as Markdown: only signs that chatroom/messages/markdown/rendering.py reads as formats. No DOM. */

import { writeLink } from "./pasted.js";

const MARKS = { bold: "**", italic: "*", strike: "~~" };
const WORD = /[\p{L}\p{N}]/u;
/** Addresses and Windows paths: a backslash in them would be shown. */
const AS_IT_IS = /(?:https?:\/\/|www\.|[A-Za-z]:\\|\\\\)\S*/g;
/** Signs that begin a list, a heading or a quotation. */
const BLOCK_SIGN = /^( *)(?:([-+](?= )|#{1,6}(?= )|>)|(\d{1,9})([.)])(?= ))/gm;

/**
 * Write pieces of text `{text, bold, italic, strike, code, href, isExact}` as one paragraph.
 * White space is collapsed, except in pieces that are exact; `\n` in an exact piece is a line break.
 */
export function writeParagraph(pieces) {
  const text = nest(collapse(pieces), ["href", "bold", "italic", "strike", "code"]);
  return text
    .replaceAll(/[ \t]+$/gm, "")
    .replace(/^\n+|\s+$/g, "")
    .replaceAll(BLOCK_SIGN, (_, space, sign, number, end) => (sign ? `${space}\\${sign}` : `${space}${number}\\${end}`));
}

/** A block of code, between more backticks than the code has. */
export function writeFence(code, language = "") {
  const fence = "`".repeat(Math.max(3, longestRun(code) + 1));
  return `${fence}${language}\n${code.replace(/\n$/, "")}\n${fence}`;
}

/** A table from rows of texts; the first row is the head. */
export function writeTable(rows) {
  const width = Math.max(1, ...rows.map((row) => row.findLastIndex(Boolean) + 1));
  const lines = rows.map((row) => `| ${Array.from({ length: width }, (_, column) => escapeCell(row[column] ?? "")).join(" | ")} |`);
  return [lines[0], `|${" --- |".repeat(width)}`, ...lines.slice(1)].join("\n");
}

function escapeCell(text) {
  return text.replaceAll(/\s*\n\s*/g, " ").replaceAll(/\\?\|/g, "\\|");
}

function collapse(pieces) {
  let last = "\n";
  return pieces.flatMap((piece) => {
    let text = piece.text.replaceAll("\r", "");
    if (!piece.isExact) text = text.replaceAll(/[ \t\n\f]+/g, " ").replace(/\s$/.test(last) ? /^ / : /^$/, "");
    text = text.replaceAll("\u00a0", " ");
    last = text || last;
    return text ? [{ ...piece, text }] : [];
  });
}

/** Write the pieces with the same value of the first format together, with its signs around them. */
function nest(pieces, [format, ...rest]) {
  if (!format) return pieces.map(({ text, code }) => (code ? text : escape(text))).join("");
  let written = "";
  for (let start = 0, end = 0; start < pieces.length; start = end) {
    const value = pieces[start][format];
    while (end < pieces.length && pieces[end][format] === value) end += 1;
    const inner = nest(pieces.slice(start, end), rest);
    const outside = [pieces[start - 1]?.text.at(-1) ?? "", pieces[end]?.text[0] ?? ""];
    written += value ? inner.replaceAll(/[^\n]+/g, (line) => surround(line, format, value, outside)) : inner;
  }
  return written;
}

/** Put the signs of a format around a line, inside its outer spaces. */
function surround(line, format, value, [before, after]) {
  const [, space, text, end] = line.match(/^(\s*)(.*?)(\s*)$/su);
  if (!text) return line;
  if (format === "href") return space + shorten(text, value) + end;
  if (format === "code") return space + writeCode(text) + end;
  // Inside a word, these signs are no format.
  const isInWord = (!space && WORD.test(before) && WORD.test(text[0])) || (!end && WORD.test(after) && WORD.test(text.at(-1)));
  return isInWord ? line : space + MARKS[format] + text + MARKS[format] + end;
}

/** An address that is shown as it is needs no signs. */
function shorten(text, href) {
  const bare = (each) => each.replace(/^(?:mailto:|https?:\/\/)/i, "").replace(/\/$/, "");
  if (bare(text.replaceAll("\\", "")) !== bare(href)) return writeLink(text, href);
  return href.startsWith("mailto:") ? bare(href) : href;
}

function writeCode(text) {
  const fence = "`".repeat(longestRun(text) + 1);
  const space = /^`|`$/.test(text) ? " " : "";
  return fence + space + text + space + fence;
}

function longestRun(text) {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
}

/** Escape what would become a format, and nothing else. */
function escape(text) {
  let written = "";
  let end = 0;
  for (const match of text.matchAll(AS_IT_IS)) {
    written += escapeSigns(text.slice(end, match.index)) + match[0];
    end = match.index + match[0].length;
  }
  return written + escapeSigns(text.slice(end));
}

function escapeSigns(text) {
  return text
    .replaceAll(/`|~~|\[(?=[^\]\n]*\]\()/g, "\\$&")
    .replaceAll(/(?<![\p{L}\p{N}])[*_](?=\S)|(?<=\S)[*_](?![\p{L}\p{N}])/gu, "\\$&");
}
