import assert from "node:assert/strict";
import { test } from "node:test";
import { Held } from "../../static/state/messages/held.js";
import { settle } from "./fakes.js";

const waiting = (id, more = {}) => ({ id, client_id: `c-${id}`, text: id, held_at: "2026-11-21T12:00:00.000Z", state: "waiting", ...more });

function setUp() {
  const asked = [];
  const api = {
    readHeld: () => new Promise((resolve, reject) => asked.push({ resolve: (held) => resolve({ held }), reject })),
    withdraw: async () => ({}),
  };
  const shown = [];
  const held = new Held({ api, onChange: () => shown.push(held.messages.map(({ id }) => id).join()) });
  return { held, api, asked, shown };
}

test("it shows the held messages of the page and added ones", () => {
  const { held, shown } = setUp();
  held.reset([waiting("a")]);
  held.add({ client_id: "c-b", text: "b" }, { id: "b" }, "2026-11-21T12:00:01.000Z");
  held.add({ client_id: "c-b", text: "b" }, { id: "b" }, "2026-11-21T12:00:01.000Z");
  assert.deepEqual(shown, ["a", "a,b"]);
  assert.equal(held.messages[1].state, "waiting");
});

test("a message that arrived is no longer held, even if an older answer lists it", async () => {
  const { held, asked } = setUp();
  held.reset([waiting("a"), waiting("b")]);
  held.read();
  held.confirm("c-a");
  asked[0].resolve([waiting("a"), waiting("b")]);
  await settle();
  asked[1].resolve([waiting("a"), waiting("b")]);
  await settle();
  assert.deepEqual(held.messages.map(({ id }) => id), ["b"]);
});

test("messages added during a request stay, and the list is read again", async () => {
  const { held, asked } = setUp();
  held.read();
  held.add({ client_id: "c-a", text: "a" }, { id: "a" }, "2026-11-21T12:00:01.000Z");
  asked[0].resolve([]);
  await settle();
  assert.deepEqual(held.messages.map(({ id }) => id), ["a"]);
  asked[1].resolve([waiting("a")]);
  await settle();
  assert.equal(asked.length, 2);
});

test("many hints during a request cause one more request", async () => {
  const { held, asked } = setUp();
  for (let n = 0; n < 5; n += 1) held.read();
  asked[0].resolve([]);
  await settle();
  asked[1].resolve([waiting("a", { state: "rejected", reason: "No." })]);
  await settle();
  assert.equal(asked.length, 2);
  assert.equal(held.messages[0].reason, "No.");
});

test("without an answer nothing changes", async () => {
  const { held, asked } = setUp();
  held.reset([waiting("a")]);
  held.read();
  asked[0].reject(new Error("unreachable"));
  await settle();
  assert.equal(held.isEmpty, false);
});

test("a withdrawn message is removed; if it was approved in the meantime, this is reported and the list read again", async () => {
  const { held, api, asked } = setUp();
  held.reset([waiting("a"), waiting("b")]);
  const first = held.withdraw("a");
  await settle();
  asked[0].resolve([waiting("b")]);
  assert.equal(await first, "");
  assert.deepEqual(held.messages.map(({ id }) => id), ["b"]);
  api.withdraw = async () => {
    throw new Error("This message has been approved in the meantime.");
  };
  const second = held.withdraw("b");
  await settle();
  asked[1].resolve([]);
  assert.equal(await second, "This message has been approved in the meantime.");
  assert.equal(held.isEmpty, true);
});
