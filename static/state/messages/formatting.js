/* Bold and italic as marks in the text: `**` and `*`. No DOM. */

/** The parts of a line: the signs of lists and quotations, the text, the spaces behind it. Marks belong around the text. */
const LINE = /^(\s*(?:(?:[-*+]|\d+[.)]|>|#{1,6})\s+)*)(.*?)(\s*)$/su;

/**
 * Put a mark around the selected text, or take it away if all selected lines have it; without a selection, around the caret.
 * Returns the part to replace (`start`, `end`), its new `text`, and the new `selection`.
 */
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
