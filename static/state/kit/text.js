/* Functions on text that give the same results as the server's. No DOM. */

/** The length of a text in code points: a simple emoji counts as one, as in Python. */
export function countCharacters(text) {
  return [...text].length;
}

/** The first characters of a text, counted as `countCharacters` does. */
export function cut(text, number) {
  return text.length <= number ? text : [...text].slice(0, number).join("");
}

/** Blocks of code without any text; the last one may be open. A fence is read in only one way, so that the search is short. */
const EMPTY_CODE = /^\s*(?:(`{3,}|~{3,}(?!~))[^`\n]*\n\s*\1[`~]*[ \t]*(?:\n\s*|$))*(?:(?:`{3,}|~{3,})[^`\n]*)?\s*$/;

/** Return why a text cannot be sent, or "". A maximum of 0 means no limit. */
export function findProblem(text, maxLength) {
  if (text.trim() === "") return "The message is empty.";
  if (EMPTY_CODE.test(text)) return "The message is empty. Its marks, such as ```, contain no text.";
  const length = countCharacters(text);
  if (maxLength && length > maxLength) {
    return `The message is ${length - maxLength} characters too long: at most ${maxLength.toLocaleString("en")} are allowed.`;
  }
  return "";
}

/** Whether the caret is in a block of code that is not closed before it. The rules are those of CommonMark's fences. */
export function isInFence(text, caret) {
  let fence = "";
  let start = 0;
  for (const line of text.split("\n")) {
    const mark = line.match(/^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/)?.[1] ?? "";
    if (mark && start + line.indexOf(mark) + mark.length <= caret) {
      if (!fence) fence = mark;
      else if (mark.startsWith(fence) && line.trim() === mark) fence = "";
    }
    start += line.length + 1;
  }
  return fence !== "";
}

/** A name for places without the badge "bot". Must match `Author.shown` in chatroom/base/models. */
export function shownName({ name, is_bot }) {
  return is_bot ? `${name} (bot)` : name;
}

/** The first letter or digit of the first and the last word. Must match `initials` in templates/kit/_macros.html. */
export function findInitials(name) {
  const words = name.split(/\s+/u).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  return ends.map((word) => word.match(/[\p{L}\p{N}]/u)?.[0].toUpperCase() ?? "").join("");
}

/** One of twelve hues, by `crc32(id) % 12`. Must match `hue` in chatroom/web/kit/filters.py. */
export function findHue(id) {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(id)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ((crc ^ 0xffffffff) >>> 0) % 12;
}

/** A readable file size. Must match Jinja's `filesizeformat`. */
export function formatSize(bytes) {
  if (bytes < 1000) return count(bytes, "Byte");
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1]}`;
}

/** "1 message", "2 messages". */
export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " " };

/** The text of stored HTML, in one line, with the source of formulas. It must be shown as text, never as HTML. */
export function plainText(html) {
  return html
    .replaceAll(/<math.*?<\/math>/gs, "")
    .replaceAll(/<(?:"[^"]*"|[^">])*>/g, "")
    .replaceAll(/&(?:#(\d+)|(\w+));/g, (whole, code, name) => (code ? String.fromCodePoint(code) : (NAMED[name] ?? whole)))
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** Scripts that use no spaces, or attach words to the next. Must match `NAME` in chatroom/messages/markdown/rendering.py. */
const ATTACHED = ["Han", "Hira", "Kana", "Hang", "Thai", "Laoo", "Khmr", "Mymr", "Arab", "Hebr"].map((name) => `\\p{sc=${name}}`).join("");
const NAME = new RegExp(
  `(?:(?<![\\p{L}\\p{M}\\p{N}_@/.\\-])|(?<=[${ATTACHED}]))@([\\p{L}\\p{Nd}][\\p{L}\\p{M}\\p{Nd}\\p{Join_Control}._\\-]{0,40})?$`,
  "u",
);
const CODE = new RegExp(`(?<=^|[\\s(（「${ATTACHED}]):([a-z0-9_+\\-]{2,40})$`, "iu");

/** A room begins with a letter here, so that Enter after an issue's number sends the message. */
const ROOM = /(?<![\p{L}\p{M}\p{N}_#&/@.-])#(\p{L}[\p{L}\p{M}\p{Nd}-]{0,40})$/u;

/** The unfinished name (after `@`), emoji (after `:`) or room (after `#`) before the caret: `{kind, query, start, end}`, or null. */
export function findUnfinished(text, caret) {
  const before = text.slice(0, caret);
  for (const [kind, pattern] of [["member", NAME], ["emoji", CODE], ["room", ROOM]]) {
    const match = before.match(pattern);
    if (match) return { kind, query: match[1] ?? "", start: match.index, end: caret };
  }
  return null;
}

/** Whether the later of two results of `findUnfinished` has only more or fewer letters at its end. An input method may replace all of them. */
export function isContinued(before, now) {
  if (!before || before.kind !== now?.kind || before.start !== now.start) return false;
  return now.query.startsWith(before.query) || before.query.startsWith(now.query);
}
