import assert from "node:assert/strict";
import { test } from "node:test";
import { count, countCharacters, findHue, findInitials, findProblem, formatSize, isInFence, shownName } from "../../static/state/kit/text.js";
import { isSubmit } from "../../static/views/kit/keys.js";

test("characters are code points, as the server counts them (U07)", () => {
  assert.equal(countCharacters("añ😅"), 3);
  assert.equal(countCharacters("👩‍👩‍👧"), 5);
});

test("empty, white and too long texts are refused with a reason", () => {
  assert.match(findProblem("", 10), /is empty/);
  assert.match(findProblem(" \n\t ", 10), /is empty/);
  for (const text of ["```", "```py\n\n```", "~~~~\n~~~~ \n\n```js"]) assert.match(findProblem(text, 0), /is empty.*```/, text);
  for (const text of ["```\na", "```py\n```js", "```a```", "a\n```\n```"]) assert.equal(findProblem(text, 0), "", text);
  assert.equal(findProblem(`${"~~~~~~\n".repeat(200)}x`, 0), "", "and soon: each fence can be read in only one way");
  assert.match(findProblem("😅".repeat(12), 10), /2 characters too long/);
  assert.equal(findProblem("😅".repeat(10), 10), "");
  assert.equal(findProblem("x".repeat(100_000), 0), "", "0 is no limit");
});

test("a caret is in an open block of code, as CommonMark reads fences", () => {
  const inside = ["```", "```py", "look:\n```\nx = 1", "   ```", "~~~", "~~~ `a`", "````\n```", "```\n~~~", "```\n```py", "```\na\n```\n```"];
  const outside = ["", "a", "``", "```a```", "```a``` b", "```\na\n```", "```\na\n`````  ", "~~~~\na\n~~~~", "    ```", "a ```", "```\na\n  ```"];
  for (const text of inside) assert.ok(isInFence(text, text.length), text);
  for (const text of outside) assert.ok(!isInFence(text, text.length), text);
  const text = "before\n```\na\n```\nafter";
  const places = [...Array(text.length + 1).keys()].filter((caret) => isInFence(text, caret));
  assert.deepEqual([places[0], places.at(-1)], [text.indexOf("```") + 3, text.lastIndexOf("```") + 2]);
});

test("Enter sends, but makes a new line in an open block of code; Ctrl+Enter and ⌘+Enter always send", () => {
  const press = (value, meaning = "Enter") => isSubmit(meaning, { value, selectionStart: value.length });
  assert.ok(press("a") && press("```\na\n```"));
  assert.ok(!press("```\na") && !press("a", "Shift+Enter") && !press("a", "Alt+Enter") && !press("a", ""));
  assert.ok(press("```\na", "Mod+Enter") && press("```\na", "Ctrl+Enter"));
});

test("initials are letters or digits of the first and the last word", () => {
  assert.equal(findInitials("zoë van der Berg"), "ZB");
  assert.equal(findInitials("Bob"), "B");
  assert.equal(findInitials("\u202e(ann) x"), "AX");
  assert.equal(findInitials("🎈"), "");
  assert.equal(findInitials(""), "");
});

test("a bot's name says so (U10)", () => {
  assert.equal(shownName({ name: "Ann" }), "Ann");
  assert.equal(shownName({ name: "Ann", is_bot: true }), "Ann (bot)");
});

test("hues are `crc32(id) % 12`, as in Python", () => {
  assert.deepEqual(["u1", "u2", "u3", "u4", "u5", "ä"].map(findHue), [2, 0, 2, 5, 11, 11]);
});

test("numbers of things", () => {
  assert.deepEqual([count(1, "message"), count(2, "message")], ["1 message", "2 messages"]);
});

test("sizes are written as the templates write them", () => {
  const sizes = [0, 1, 999, 1000, 1234, 999_949, 1_500_000, 25_000_000, 3e9, 4e12, 5e15];
  assert.deepEqual(
    sizes.map(formatSize),
    ["0 Bytes", "1 Byte", "999 Bytes", "1.0 kB", "1.2 kB", "999.9 kB", "1.5 MB", "25.0 MB", "3.0 GB", "4.0 TB", "5000.0 TB"],
  );
});
