import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { findUnfinished, isContinued } from "../../static/state/kit/text.js";
import { Emoji, TONES } from "../../static/state/messages/emoji.js";

const data = JSON.parse(readFileSync(new URL("../../static/emoji/emoji.json", import.meta.url), "utf8"));

function make(kept = new Map()) {
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  return new Emoji({ data, storage });
}

const characters = (found) => found.map(({ character }) => character);

test("exact names come first, then names that start with the text, then related words", () => {
  const emoji = make();
  assert.equal(emoji.search("tada")[0].character, "🎉");
  assert.equal(emoji.search(":+1:")[0].character, "👍");
  assert.equal(emoji.search("sta")[0].character, "⭐");
  assert.ok(characters(emoji.search("smi", 8)).includes("😄"));
  assert.ok(characters(emoji.search("party")).includes("🎉"));
  assert.ok(characters(emoji.search("thumbs up")).includes("👍"));
  assert.deepEqual(emoji.search("  "), []);
  assert.deepEqual(emoji.search("there is no such emoji"), []);
  assert.equal(emoji.search("a", 5).length, 5);
});

test("every group has its emoji", () => {
  const emoji = make();
  assert.equal(emoji.groups.length, 9);
  assert.equal(emoji.groups.flatMap((group) => group.emoji).length, data.emoji.length);
});

test("recently used emoji come first, without duplicates, and are stored", () => {
  const kept = new Map();
  const emoji = make(kept);
  assert.deepEqual(emoji.recent, []);
  for (const character of ["🎉", "🔥", "🎉", "👋🏽"]) emoji.use(character);
  assert.deepEqual(characters(make(kept).recent), ["👋🏽", "🎉", "🔥"]);
  for (const { character } of emoji.all.slice(0, 40)) emoji.use(character);
  assert.equal(make(kept).recent.length, 16);
});

test("without storage, or with invalid data in it, no emoji was used, and the skin is yellow", () => {
  const broken = { getItem: () => { throw new Error("forbidden"); }, setItem: () => { throw new Error("full"); } };
  const emoji = new Emoji({ data, storage: broken });
  emoji.use("🎉");
  emoji.tone = "🏽";
  assert.deepEqual([emoji.recent, emoji.tone], [[], ""]);
  for (const kept of ["{}", '["<b>", 7, null]', "["]) assert.deepEqual(make(new Map([["chatroom:emoji", kept]])).recent, []);
  assert.equal(make(new Map([["chatroom:skin-tone", "x"]])).tone, "");
});

test("the chosen skin tone is kept, and is in everything that has a skin", () => {
  const kept = new Map();
  const before = characters(make(kept).groups.flatMap(({ emoji }) => emoji));
  make(kept).tone = "🏽";
  const after = make(kept).groups.flatMap(({ emoji }) => emoji);
  for (const [place, { character, hasTones }] of after.entries()) {
    const tones = character.match(/🏽/gu)?.length ?? 0;
    assert.ok(hasTones ? tones === 1 || tones === 2 : tones === 0, character);
    assert.equal(character.replaceAll(/🏽|\ufe0f/gu, ""), before[place].replaceAll("\ufe0f", ""));
  }
  const found = characters(after);
  for (const character of ["👋🏽", "☝🏽", "🕵🏽‍♂️", "👩🏽‍🚀", "🧑🏽‍🤝‍🧑🏽", "👩🏽‍❤️‍👨🏽", "🤝🏽", "😀"]) assert.ok(found.includes(character), character);
  assert.equal(make(kept).search("wave", 1)[0].character, "👋🏽");
  assert.equal(make(kept).find("👋🏽").codes[0], "wave");
  assert.equal(TONES.length, 6);
});

test("a name or a code is found before the caret", () => {
  const at = (text) => findUnfinished(text, text.length);
  assert.deepEqual(at("hi @al"), { kind: "member", query: "al", start: 3, end: 6 });
  assert.deepEqual(at("@"), { kind: "member", query: "", start: 0, end: 1 });
  assert.deepEqual(at("(@Жан"), { kind: "member", query: "Жан", start: 1, end: 5 });
  assert.deepEqual(at("你好@gr"), { kind: "member", query: "gr", start: 2, end: 5 });
  assert.deepEqual(at("请问@田中"), { kind: "member", query: "田中", start: 2, end: 5 });
  assert.deepEqual(at("ありがとう@田"), { kind: "member", query: "田", start: 5, end: 7 });
  assert.deepEqual(at("مرحبا@عل"), { kind: "member", query: "عل", start: 5, end: 8 });
  assert.deepEqual(at("好的:smi"), { kind: "emoji", query: "smi", start: 2, end: 6 });
  assert.deepEqual(at("yes :smi"), { kind: "emoji", query: "smi", start: 4, end: 8 });
  assert.deepEqual(at("see #Gar"), { kind: "room", query: "Gar", start: 4, end: 8 });
  assert.deepEqual(at("(#b-1"), { kind: "room", query: "b-1", start: 1, end: 5 });
  assert.deepEqual(findUnfinished("@al and more", 3), { kind: "member", query: "al", start: 0, end: 3 });
});

test("addresses, times and smileys are not unfinished names", () => {
  for (const text of ["ann@example", "José@weaver", "info.pl@grace", "жан@пример", "1@a", "a/@al", "10:30", "http://a", ":)", ":s", "::tada", "@al ", "so:smi", "", "@-", "#", "#12", "C#a", "a/#b", "# a", "##a"]) {
    assert.equal(findUnfinished(text, text.length), null, text);
  }
});

test("suggestions stay while letters are added or removed, and go when an input method replaces them", () => {
  const at = (text) => findUnfinished(text, text.length);
  assert.ok(isContinued(at("@gra"), at("@grac")) && isContinued(at("@gra"), at("@gr")));
  assert.ok(!isContinued(at("@zhang"), at("@张")) && !isContinued(at("@gra"), at(":gra")) && !isContinued(at("@gra"), at("x @gra")));
  assert.ok(!isContinued(null, at("@gra")) && !isContinued(at("@gra"), null));
});
