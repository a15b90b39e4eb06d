import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../static/state/live/api.js";
import { Away } from "../../static/state/people/away.js";
import { ALICE, BOB, FakeClock } from "./fakes.js";

const CAROL = { id: "carol", name: "Carol" };

function stage(answer = { away: [], more: false, here: [] }) {
  const asked = [];
  const told = { changes: 0, isVisible: true, answer };
  const clock = new FakeClock();
  const api = {
    async readPeople(ids) {
      asked.push(ids);
      if (told.answer instanceof Error) throw told.answer;
      return told.answer;
    },
  };
  const away = new Away({
    api,
    clock,
    isVisible: () => told.isVisible,
    friends: () => Array.from({ length: 60 }, (_, n) => `friend-${n}`),
    onChange: () => (told.changes += 1),
  });
  return { away, clock, asked, told };
}

const names = (list) => list.map(({ person }) => person.name);

test("those who were here last come first, and nobody who is in the room", async () => {
  const people = [[CAROL, ""], [BOB, "week"], [ALICE, "today"]].map(([person, seen]) => ({ person, seen }));
  const { away, told } = stage({ away: people, more: true, here: ["bob"] });
  await away.read();
  assert.deepEqual(names(away.list(() => false)), ["Alice", "Bob", "Carol"]);
  assert.deepEqual(names(away.list((id) => id === "alice")), ["Bob", "Carol"]);
  assert.deepEqual([away.hasMore, away.isHere("bob"), away.isHere("alice"), told.changes], [true, true, false, 1]);
});

test("who leaves the room is away at once", () => {
  const { away } = stage();
  away.leave(BOB);
  assert.deepEqual(away.list(() => false), [{ person: BOB, seen: "today" }]);
});

test("it is read again while the page is visible, for at most fifty conversations", async () => {
  const { away, clock, asked, told } = stage();
  await away.read();
  assert.equal(asked[0].length, 50);
  await clock.pass(120_000);
  assert.equal(asked.length, 2);
  told.isVisible = false;
  await clock.pass(600_000);
  assert.equal(asked.length, 2);
  told.isVisible = true;
  await clock.pass(120_000);
  assert.equal(asked.length, 3);
});

test("a refusal keeps what was read, and the next try comes", async () => {
  const { away, clock, asked, told } = stage({ away: [{ person: BOB, seen: "week" }], more: false, here: [] });
  await away.read();
  told.answer = new ApiError({ status: 429, message: "Slowly" });
  await clock.pass(120_000);
  assert.deepEqual(names(away.list(() => false)), ["Bob"]);
  await clock.pass(120_000);
  assert.equal(asked.length, 3);
});
