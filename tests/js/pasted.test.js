import assert from "node:assert/strict";
import { test } from "node:test";
import { writeFence, writeParagraph, writeTable } from "../../static/state/messages/markdown.js";
import { areOnlyFiles, between, isInCode, isSameText, linkOver, writeLink } from "../../static/state/messages/pasted.js";

test("files come with their names, paths or address; formatted text or another text wins over a picture of it", () => {
  const are = (names, text, ...types) => areOnlyFiles({ names, types: ["Files", ...types], text });
  assert.ok(are(["a.png"], ""));
  assert.ok(are(["a.png"], "a.png", "text/plain"));
  assert.ok(are(["a.png", "b.png"], "a.png\rb.png\r", "text/plain"));
  assert.ok(are(["über.txt"], "/home/grace/u\u0308ber.txt", "text/plain"));
  assert.ok(are(["a b.png"], "file:///home/grace/a%20b.png", "text/plain", "text/uri-list"));
  assert.ok(are(["image.png"], "https://example.com/cat", "text/plain"), "a picture that Safari copied");
  assert.ok(!are(["image.png"], "A sentence.", "text/plain"));
  assert.ok(!are(["image.png"], "image.png", "text/plain", "text/html"));
  assert.ok(!are(["image.png"], "", "text/rtf"));
  assert.ok(!are([], "a.png", "text/plain"));
});

test("an address over a selected text becomes a link", () => {
  assert.equal(linkOver("the page", " https://example.com/a\n"), "[the page](https://example.com/a)");
  assert.equal(linkOver("**bold** [1]", "https://example.com/a_(b)"), "[**bold** \\[1\\]](https://example.com/a_(b))");
  assert.equal(writeLink("a\nb", "https://example.com/a)b c<d>|"), "[a b](https://example.com/a%29b%20c%3Cd%3E%7C)");
  for (const [selected, pasted] of [["", "https://example.com"], ["a\nb", "https://example.com"], ["https://example.com/b", "https://example.com"],
    ["a", "two https://example.com"], ["a", "javascript:alert(1)"], ["a", "README.md"]]) assert.equal(linkOver(selected, pasted), "", pasted);
});

test("a caret is in code", () => {
  for (const text of ["```\n", "```js\nlet a;\n", "see `", "see `a` and `b"]) assert.ok(isInCode(text, text.length), text);
  for (const text of ["", "a", "see `a` ", "`\n", "```\na\n```\n"]) assert.ok(!isInCode(text, text.length), text);
});

test("without formats, the plain text is pasted", () => {
  assert.ok(isSameText("a \\*b\\* c\n\nd", "a *b*  c\r\nd\n"));
  assert.ok(!isSameText("a **b**", "a b"));
  assert.ok(!isSameText("- a\n- b", "a\nb"));
});

test("a block begins and ends at a line of its own", () => {
  assert.equal(between("x", "| a | b |", "y"), "\n| a | b |\n");
  assert.equal(between("x\n", "- a", "\ny"), "- a");
  assert.equal(between("x", "a **b**", "y"), "a **b**");
});

test("neighbours with the same format share its signs, and spaces are outside of them", () => {
  const cases = [
    [[{ text: "a " }, { text: " b", bold: true }, { text: "c ", bold: true, italic: true }, { text: "d" }], "a **bc** d"],
    [[{ text: "un" }, { text: "believ", bold: true }, { text: "able" }], "unbelievable"],
    [[{ text: "`", code: true }, { text: " " }, { text: "a``b", code: true }], "`` ` `` ```a``b```"],
    [[{ text: "a" }, { text: "\n", isExact: true }, { text: "b" }], "a\nb"],
    [[{ text: "  x   y", isExact: true }], "  x   y"],
    [[{ text: " \u00a0 " }], ""],
    [[{ text: "x ", href: "https://example.com/" }, { text: "y", href: "https://example.com/", bold: true }], "[x **y**](https://example.com/)"],
  ];
  for (const [pieces, expected] of cases) assert.equal(writeParagraph(pieces), expected);
});

test("only what would be a format is escaped", () => {
  const same = ["2*3*4", "a * b", "snake_case", "C:\\new\\*x*", "https://example.com/_a_", "-5", "#1", "1.5", "a > b", "5 ~ 6", "[a] (b)"];
  for (const text of same) assert.equal(writeParagraph([{ text }]), text);
  const escaped = { "*a*": "\\*a\\*", "_a_": "\\_a\\_", "`a`": "\\`a\\`", "# a": "\\# a", "- a": "\\- a", "> a": "\\> a", "12) a": "12\\) a", "[a](b)": "\\[a](b)" };
  for (const [text, expected] of Object.entries(escaped)) assert.equal(writeParagraph([{ text }]), expected);
});

test("blocks of code and tables hold any text", () => {
  assert.equal(writeFence("a\n```\nb\n", "js"), "````js\na\n```\nb\n````");
  assert.equal(writeTable([["a", "", ""], ["b|c\\|d", "e\nf"]]), "| a |  |\n| --- | --- |\n| b\\|c\\|d | e f |");
});
