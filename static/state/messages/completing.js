/* What is being typed that could be completed: the name behind an `@`, or an emoji's behind a colon. No DOM. */

const NAME = /(?<![\p{L}\p{M}\p{N}_@/.-])@([\p{L}\p{Nd}][\p{L}\p{M}\p{Nd}._-]{0,40})?$/u;
const CODE = /(?<![\p{L}\p{N}:])(?<=^|[\s(]):([a-z0-9_+-]{2,40})$/iu;

/** What stands before the caret: `{kind, query, start, end}`, or null. */
export function findUnfinished(text, caret) {
  const before = text.slice(0, caret);
  for (const [kind, pattern] of [["member", NAME], ["emoji", CODE]]) {
    const match = before.match(pattern);
    if (match) return { kind, query: match[1] ?? "", start: match.index, end: caret };
  }
  return null;
}
