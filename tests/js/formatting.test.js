import assert from "node:assert/strict";
import { test } from "node:test";
import { toggleCode, toggleLink, toggleList, toggleMark, toggleQuote } from "../../static/state/messages/formatting.js";

const BOLD = "**";
const ITALIC = "*";

/** Toggle a mark in a text whose selection is written as `[…]`, and whose caret as `|`. */
function toggle(written, mark) {
  return change(written.replaceAll("[", "⟦").replaceAll("]", "⟧"), (...at) => toggleMark(...at, mark)).replaceAll("⟦", "[").replaceAll("⟧", "]");
}

/** Change a text whose selection is written as `⟦…⟧`, and whose caret as `|`. */
function change(written, format) {
  const from = written.search(/[⟦|]/);
  const plain = written.replaceAll(/[⟦⟧|]/g, "");
  const to = written.includes("⟧") ? written.indexOf("⟧") - 1 : from;
  const { start, end, text, selection } = format(plain, [from, to]);
  const changed = plain.slice(0, start) + text + plain.slice(end);
  const [first, last] = selection;
  if (first === last) return `${changed.slice(0, first)}|${changed.slice(first)}`;
  return `${changed.slice(0, first)}⟦${changed.slice(first, last)}⟧${changed.slice(last)}`;
}

const CASES = [
  ["a selection is wrapped", BOLD, "see [this] now", "see [**this**] now"],
  ["marks inside the selection go away", BOLD, "see [**this**] now", "see [this] now"],
  ["marks around the selection go away", BOLD, "see **[this]** now", "see [this] now"],
  ["italic goes around bold", ITALIC, "[**this**]", "[***this***]"],
  ["italic leaves bold", ITALIC, "[***this***]", "[**this**]"],
  ["bold leaves italic", BOLD, "***[this]***", "[*this*]"],
  ["italic alone is no bold", BOLD, "[*this*]", "[***this***]"],
  ["spaces at the ends stay outside", BOLD, "see[ this ]now", "see[ **this** ]now"],
  ["each line has its marks", BOLD, "[one\n\ntwo]", "[**one**\n\n**two**]"],
  ["the lines lose them together", BOLD, "[**one**\n\n**two**]", "[one\n\ntwo]"],
  ["lines that have them keep them", BOLD, "[**one**\ntwo]", "[**one**\n**two**]"],
  ["signs of lists and quotations stay outside", ITALIC, "[- one\n1. two\n> three]", "[- *one*\n1. *two*\n> *three*]"],
  ["only spaces stay", BOLD, "a[ ]b", "a[ ]b"],
  ["a word of another script", BOLD, "请看[这里]。", "请看[**这里**]。"],
  ["an emoji", ITALIC, "[👩‍👧]", "[*👩‍👧*]"],
  ["without a selection, the caret is between", BOLD, "see |", "see **|**"],
  ["italic without a selection", ITALIC, "|", "*|*"],
  ["empty marks go away", BOLD, "see **|**", "see |"],
  ["empty marks of italic go away", ITALIC, "*|*", "|"],
  ["the caret leaves the marks", BOLD, "see **this|**", "see **this**|"],
  ["the caret before bold gets its own marks", BOLD, "|**this**", "**|****this**"],
  ["marks in other lines do not count", BOLD, "**a\n|", "**a\n**|**"],
];

for (const [name, mark, before, after] of CASES) test(`${name}: ${before}`, () => assert.equal(toggle(before, mark), after));

/** Each row: the text before, the text after, and (unless it is the first text again) the text after the format was taken away. */
const FORMATS = [
  [toggleCode, "see ⟦this⟧ now", "see ⟦`this`⟧ now"],
  [toggleCode, "see `⟦this⟧` now", "see ⟦this⟧ now", "see ⟦`this`⟧ now"],
  [toggleCode, "see⟦ this ⟧now", "see⟦ `this` ⟧now", null],
  [toggleCode, "⟦a`b⟧", "⟦`` a`b ``⟧", null],
  [toggleCode, "see |", "see `|`"],
  [toggleCode, "`this|`", "`this`|", null],
  [toggleCode, "before\n⟦one\ntwo⟧\nafter", "before\n```\n⟦one\ntwo⟧\n```\nafter"],
  [toggleCode, "o⟦ne\ntw⟧o", "```\n⟦one\ntwo⟧\n```", "⟦one\ntwo⟧"],
  [toggleCode, "⟦```js\none\n```⟧", "⟦one⟧", null],
  [toggleCode, "⟦```\none⟧", "````\n⟦```\none⟧\n````"],
  [toggleLink, "see ⟦this⟧ now", "see [this](⟦https://⟧) now", "see ⟦this⟧ now"],
  [toggleLink, "see ⟦https://a.example/?b⟧ now", "see [|](https://a.example/?b) now", null],
  [toggleLink, "see |", "see [|](https://)", "see |"],
  [toggleLink, "⟦[a]⟧", "[\\[a\\]](⟦https://⟧)", "⟦[a]⟧"],
  [toggleLink, "a [b](https://c.example) ⟦d⟧", "a [b](https://c.example) [d](⟦https://⟧)"],
  [toggleList, "one\n⟦two\n\nthree⟧", "one\n⟦- two\n\n- three⟧"],
  [toggleList, "⟦1. one\n2. two\n⟧three", "⟦one\ntwo⟧\nthree", null],
  [toggleList, "⟦- one\ntwo⟧", "⟦- one\n- two⟧", "⟦one\ntwo⟧"],
  [toggleList, "a\nwo|rd", "a\n- wo|rd"],
  [toggleList, "|", "- |", null],
  [toggleList, "\n|", "\n- |", null],
  [toggleQuote, "⟦one\n\ntwo⟧\nthree", "⟦> one\n> \n> two⟧\nthree"],
  [toggleQuote, ">quo|ted", "quo|ted", "> quo|ted"],
];

for (const [format, before, after, again = before] of FORMATS) {
  test(`${format.name}: ${before}`, () => {
    assert.equal(change(before, format), after);
    if (again !== null) assert.equal(change(after, format), again);
  });
}
