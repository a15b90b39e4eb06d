import assert from "node:assert/strict";
import { test } from "node:test";

import { findChoices, findNamed } from "../../static/state/rooms/choices.js";

const ADA = { id: "ada", name: "Ada" };
const BEN = { id: "ben", name: "Ben" };
const GROUP = { title: "Ada, Ben", kind: "direct", people: [ADA, BEN], unread: 3, urgent: 3 };
const PAIR = { title: "Ada", kind: "direct", people: [ADA], unread: 0, urgent: 0 };
const ROOM = { title: "Radar", kind: "public", people: [], unread: 0, urgent: 0 };
const names = (wanted, rooms, people) => findChoices(wanted, rooms, people).map(({ name }) => name);

test("a name means the person before a group with this person, also without a conversation", () => {
  assert.deepEqual(names("ada", [GROUP, ROOM, PAIR]), ["Ada", "Radar", "Ada, Ben"]);
  assert.deepEqual(names("ada", [GROUP], [ADA]), ["Ada", "Ada, Ben"]);
});

test("a start of a title comes before other parts, and unread rooms come first among equals", () => {
  const unread = { ...ROOM, title: "Adverts", unread: 1 };
  assert.deepEqual(names("ad", [ROOM, PAIR, unread]), ["Adverts", "Ada", "Radar"]);
  assert.deepEqual(names("", [PAIR, ROOM, GROUP]), ["Ada, Ben", "Ada", "Radar"]);
});

test("a # names the rooms of which a word of the title, or the address, starts with the text", () => {
  const rooms = [
    { slug: "old-garden", title: "The garden", kind: "public" },
    { slug: "garden", title: "Gardeners", kind: "public" },
    { slug: "kitchen-ab12cd", title: "Kitchen", kind: "private" },
    { slug: "dm_1", title: "Gary", kind: "direct" },
  ];
  const found = (text) => findNamed(text, rooms).map(({ slug }) => slug);
  assert.deepEqual(found("gar"), ["garden", "old-garden"]);
  assert.deepEqual(found("Kitchen-a"), ["kitchen-ab12cd"]);
  assert.deepEqual(found("old"), ["old-garden"]);
  assert.deepEqual(found("den"), []);
});
