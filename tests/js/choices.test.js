import assert from "node:assert/strict";
import { test } from "node:test";

import { findChoices } from "../../static/state/rooms/choices.js";

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
