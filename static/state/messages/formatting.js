/* Formats as marks of Markdown in the text: bold, italic, code, links, lists, quotations. No DOM.

   Each function gets a text and the selection, and returns the part to replace (`start`, `end`), its new `text`, and the
   new `selection`. If the selection has the format already, the format is taken away. */

/** The parts of a line: the signs of lists and quotations, the text, the spaces behind it. Marks belong around the text. */
const LINE = /^(\s*(?:(?:[-*+]|\d+[.)]|>|#{1,6})\s+)*)(.*?)(\s*)$/su;

const FENCE = /^ {0,3}(`{3,}[^`]*|~{3,}.*)$/;
const TICKS = /^(`+)( ?)(.+?)\2\1$/su;
const LINK = /\[((?:[^\]\\\n]|\\.)*)\]\(([^()\n]*)\)/gu;
const ADDRESS = /^(?:https?:\/\/|mailto:)\S+$/iu;
const NO_ADDRESS = "https://";
const LIST_SIGN = /^(\s*)(?:[-*+]|\d+[.)])\s+(?:\[[ x]\]\s)?/u;
const QUOTE_SIGN = /^( {0,3})> ?/u;

/** Put a mark (`**` or `*`) around the selected text in each line; without a selection, around the caret. */
export function toggleMark(text, [from, to], mark) {
  if (from === to) return toggleAtCaret(text, from, mark);
  const [start, end] = widen(text, from, to);
  const lines = text.slice(start, end).split("\n").map((line) => line.match(LINE).slice(1));
  const filled = lines.filter(([, words]) => words);
  const isOn = filled.length > 0 && filled.every(([, words]) => has(words, mark));
  const change = (words) => (words && (isOn ? words.slice(mark.length, -mark.length) : has(words, mark) ? words : mark + words + mark));
  const changed = lines.map(([before, words, after]) => before + change(words) + after).join("\n");
  return { start, end, text: changed, selection: [start, start + changed.length] };
}

/** Put backticks around the selected text, or a fence around the selected lines. */
export function toggleCode(text, [from, to]) {
  if (from === to) return toggleAtCaret(text, from, "`");
  const selected = text.slice(from, to);
  if (selected.includes("\n")) return toggleFence(text, from, to);
  const inside = selected.match(TICKS)?.[3];
  if (inside !== undefined && !inside.includes("`")) return replace(from, to, inside);
  let around = 0;
  while (text[from - around - 1] === "`" && text[to + around] === "`") around += 1;
  if (around) return replace(from - around, to + around, selected);
  const [, before, words, after] = selected.match(/^(\s*)(.*?)(\s*)$/su);
  if (!words) return replace(from, to, selected);
  const ticks = "`".repeat(longestRun(words) + 1);
  const space = ticks.length > 1 ? " " : ""; // otherwise a backtick in the code would belong to the mark
  return replace(from, to, before + ticks + space + words + space + ticks + after);
}

/** Make a link of the selected text, whose address is then selected; a selected address becomes a link without a text yet. */
export function toggleLink(text, [from, to]) {
  for (const { index, 0: whole, 1: label } of text.matchAll(LINK)) {
    if (index <= from && to <= index + whole.length && from < index + whole.length && to > index)
      return replace(index, index + whole.length, label.replaceAll(/\\([[\]\\])/gu, "$1"));
  }
  const selected = text.slice(from, to);
  if (ADDRESS.test(selected)) return { ...replace(from, to, `[](${selected})`), selection: [from + 1, from + 1] };
  const label = selected.replaceAll(/[[\]\\]/gu, "\\$&");
  const address = from + label.length + 3;
  const selection = label ? [address, address + NO_ADDRESS.length] : [from + 1, from + 1];
  return { ...replace(from, to, `[${label}](${NO_ADDRESS})`), selection };
}

/** Make the selected lines a list. */
export function toggleList(text, selection) {
  return toggleSign(text, selection, { sign: "- ", pattern: LIST_SIGN });
}

/** Make the selected lines a quotation. The empty lines in it belong to it. */
export function toggleQuote(text, selection) {
  return toggleSign(text, selection, { sign: "> ", pattern: QUOTE_SIGN, isForEmpty: true });
}

/** Whether a text is inside this mark. `***` is both marks, so their number decides. */
function has(words, mark) {
  const stars = Math.min(words.match(/^\**/)[0].length, words.match(/\**$/)[0].length);
  return words.length > 2 * stars && (mark === "*" ? stars % 2 === 1 : stars > 1);
}

/** The selection with the marks that are next to it on both sides. */
function widen(text, from, to) {
  let stars = 0;
  while (stars < 3 && text[from - stars - 1] === "*" && text[to + stars] === "*") stars += 1;
  return [from - stars, to + stars];
}

/** Empty marks around the caret go away, the caret leaves marks with a text, and else there are new marks. */
function toggleAtCaret(text, caret, mark) {
  const size = mark.length;
  const before = text.slice(text.lastIndexOf("\n", caret - 1) + 1, caret);
  if (text.startsWith(mark, caret) && before.split(mark).length % 2 === 0) {
    const isEmpty = before.endsWith(mark);
    const [start, end] = [isEmpty ? caret - size : caret, caret + size];
    return { start, end, text: isEmpty ? "" : mark, selection: isEmpty ? [start, start] : [end, end] };
  }
  return { start: caret, end: caret, text: mark + mark, selection: [caret + size, caret + size] };
}

function toggleSign(text, [from, to], { sign, pattern, isForEmpty = false }) {
  const [start, end] = wholeLines(text, from, to);
  const lines = text.slice(start, end).split("\n");
  const filled = lines.filter((line) => line.trim());
  const isOn = filled.length > 0 && filled.every((line) => pattern.test(line));
  const add = (line) => ((line.trim() && !pattern.test(line)) || isForEmpty || !filled.length ? sign + line : line);
  const changed = lines.map((line) => (isOn ? line.replace(pattern, "$1") : add(line)));
  const result = replace(start, end, changed.join("\n"));
  if (from !== to) return result;
  const caret = Math.max(start, from + changed[0].length - lines[0].length);
  return { ...result, selection: [caret, caret] };
}

/** A fence around whole lines, in lines of its own. */
function toggleFence(text, from, to) {
  const [start, end] = wholeLines(text, from, to);
  const code = text.slice(start, end);
  const lines = code.split("\n");
  if (lines.length > 1 && FENCE.test(lines[0]) && FENCE.test(lines.at(-1))) return replace(start, end, lines.slice(1, -1).join("\n"));
  const [above] = wholeLines(text, Math.max(0, start - 1), Math.max(0, start - 1));
  const [, below] = wholeLines(text, Math.min(text.length, end + 1), Math.min(text.length, end + 1));
  const isFenced = start > 0 && end < text.length && FENCE.test(text.slice(above, start - 1)) && FENCE.test(text.slice(end + 1, below));
  if (isFenced) return replace(above, below, code);
  const ticks = "`".repeat(Math.max(3, longestRun(code) + 1));
  const result = replace(start, end, `${ticks}\n${code}\n${ticks}`);
  const inner = start + ticks.length + 1;
  return { ...result, selection: [inner, inner + code.length] };
}

/** The lines of a selection; a line of which only the start is selected is none of them. */
function wholeLines(text, from, to) {
  const last = to > from && text[to - 1] === "\n" ? to - 1 : to;
  const end = text.indexOf("\n", last);
  return [text.slice(0, from).lastIndexOf("\n") + 1, end < 0 ? text.length : end];
}

function longestRun(text) {
  return Math.max(0, ...(text.match(/`+/gu) ?? []).map(({ length }) => length));
}

function replace(start, end, text) {
  return { start, end, text, selection: [start, start + text.length] };
}
