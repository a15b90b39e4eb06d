import assert from "node:assert/strict";
import { test } from "node:test";

import { Later } from "../../static/state/messages/later.js";

/** Until all promises that can be settled are settled. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

function start(...answers) {
  const asked = [];
  const counts = [];
  const due = [];
  const fetch = async (url, { method = "GET", body, headers }) => {
    asked.push(body ? [method, url, headers["X-CSRFToken"], JSON.parse(body)] : [method, url]);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return { ok: true, json: async () => answer };
  };
  const asking = { csrfToken: "t", fetch, restate: (text) => text };
  const changes = [];
  const onIds = () => changes.push(["1", "2"].filter((id) => later.has(id)));
  const later = new Later({ asking, ids: { 1: "x" }, onCount: (count) => counts.push(count), onDue: ({ id }) => due.push(id), onIds });
  return { later, asked, counts, due, changes };
}

const FULL = { due_count: 1, saved: [{ id: "a", is_due: true }], ids: { 1: "a" } };

test("a reminder that becomes due is counted and announced, another change is only counted", async () => {
  const { later, counts, due } = start(FULL, FULL);
  later.receive({ type: "later", due: true });
  await settle();
  later.receive({ type: "later", due: false });
  later.receive({ type: "rooms" });
  await settle();
  assert.deepEqual([counts, due], [[1, 1], ["a"]]);
});

test("frames that arrive during a request cause one more request, and announce what is due", async () => {
  const { later, asked, due } = start({ due_count: 0, saved: [], ids: {} }, FULL);
  later.receive({ type: "later" });
  for (let n = 0; n < 5; n += 1) later.receive({ type: "later", due: n === 0 });
  await settle();
  assert.deepEqual([asked.length, due], [2, ["a"]]);
});

test("what became due without a connection is counted when it is back, and not at the start of the page", async () => {
  const { later, asked } = start(FULL, FULL);
  later.connected("live");
  await settle();
  assert.equal(asked.length, 0);
  later.connected("waiting");
  later.connected("live");
  await settle();
  assert.equal(asked.length, 1);
});

test("a failed request is repeated with the next frame", async () => {
  const { later, counts } = start(new Error("no network"), FULL);
  later.receive({ type: "later" });
  await settle();
  later.receive({ type: "later" });
  await settle();
  assert.deepEqual(counts, [1]);
});

test("saving sends the room, the message and the time", async () => {
  const { later, asked } = start({ id: "b" });
  await later.save("den", { id: "2", sequence: 7 }, "tomorrow");
  assert.deepEqual(asked, [["POST", "/api/later", "t", { room: "den", sequence: 7, remind: "tomorrow" }]]);
});

test("it is known which messages are saved: from the page, after saving and removing, and from other pages", async () => {
  const { later, asked, changes } = start({ id: "b" }, { id: "x" }, FULL);
  assert.equal(later.has("1"), true);
  await later.save("den", { id: "2", sequence: 7 });
  await later.remove({ id: "1" });
  assert.deepEqual(asked[1], ["DELETE", "/api/later/x"]);
  later.receive({ type: "later" });
  await settle();
  assert.deepEqual(changes, [["1", "2"], ["2"], ["1"]]);
});
