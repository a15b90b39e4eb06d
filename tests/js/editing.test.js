import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../static/state/live/api.js";
import { Editing, maySeeChanges, UNSURE } from "../../static/state/messages/editing.js";
import { settle } from "./fakes.js";

function setUp(...answers) {
  const sent = [];
  const states = [];
  const editing = new Editing({
    message: { id: "m1", revision: 4, text: "old" },
    change: async (frame) => {
      sent.push(frame);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    read: async () => ({ id: "m1", revision: 9, text: "theirs" }),
    onState: () => states.push(editing.state),
  });
  return { editing, sent, states };
}

const STORED = { type: "stored" };
const LOST = new ApiError({ status: 0, reason: "unreachable", message: "The server did not answer." });

test("an edit carries the revision that its author saw", async () => {
  const { editing, sent, states } = setUp(STORED);
  await editing.save("new");
  assert.deepEqual(sent, [{ type: "edit", id: "m1", text: "new", revision: 4 }]);
  assert.deepEqual(states, ["saving", "saved"]);
});

test("an edit without an answer is shown as unsure, and sent again unchanged", async () => {
  const { editing, sent } = setUp(LOST, STORED);
  await editing.save("new");
  assert.equal(editing.state, "unsure");
  assert.equal(editing.problem, UNSURE);
  editing.resume();
  await settle();
  assert.equal(editing.state, "saved");
  assert.deepEqual(sent[0], sent[1]);
});

test("an answered edit is not sent again", async () => {
  const { editing, sent } = setUp({ type: "refused", reason: "too_long", message: "Too long." });
  await editing.save("new");
  editing.resume();
  assert.equal(editing.problem, "Too long.");
  assert.equal(editing.state, "open");
  assert.equal(sent.length, 1);
});

test("a newer text is replaced only after the author has seen it", async () => {
  const { editing, sent } = setUp({ type: "refused", reason: "conflict", message: "Changed." }, STORED);
  await editing.save("mine");
  assert.ok(editing.hasConflict);
  assert.equal(editing.text, "mine", "what was typed is kept");
  await editing.save("mine");
  assert.deepEqual(sent.map(({ revision }) => revision), [4, 9]);
  assert.equal(editing.state, "saved");
});

test("two presses of Enter save once", async () => {
  const { editing, sent } = setUp(STORED);
  await Promise.all([editing.save("new"), editing.save("new")]);
  assert.equal(sent.length, 1);
});

test("its author and moderators see what a message said before", () => {
  const edited = { author: { id: "alice" }, edited_at: "2026-11-21T12:00:00Z" };
  const alice = { id: "alice", mayModerate: false };
  assert.ok(maySeeChanges(edited, alice));
  assert.ok(maySeeChanges(edited, { id: "bob", mayModerate: true }));
  assert.ok(!maySeeChanges(edited, { id: "bob", mayModerate: false }));
  assert.ok(!maySeeChanges({ ...edited, deleted_at: "2026-11-21T13:00:00Z" }, alice), "a deletion removes it");
  assert.ok(!maySeeChanges({ ...edited, edited_at: undefined }, alice), "it was never changed");
});
