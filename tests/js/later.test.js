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
  const later = new Later({ asking, onCount: (count) => counts.push(count), onDue: ({ id }) => due.push(id) });
  return { later, asked, counts, due };
}

const FULL = { due_count: 1, saved: [{ id: "a", is_due: true }] };

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
  const { later, asked, due } = start({ due_count: 0, saved: [] }, FULL);
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
  const { later, asked } = start({ id: "1" });
  await later.save("den", 7, "tomorrow");
  assert.deepEqual(asked, [["POST", "/api/later", "t", { room: "den", sequence: 7, remind: "tomorrow" }]]);
});
