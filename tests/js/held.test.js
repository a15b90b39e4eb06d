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

test("it shows what came with the page, and what is added", () => {
  const { held, shown } = setUp();
  held.reset([waiting("a")]);
  held.add({ client_id: "c-b", text: "b" }, { id: "b" }, "2026-11-21T12:00:01.000Z");
  held.add({ client_id: "c-b", text: "b" }, { id: "b" }, "2026-11-21T12:00:01.000Z");
  assert.deepEqual(shown, ["a", "a,b"]);
  assert.equal(held.messages[1].state, "waiting");
});

test("what arrives among the messages waits no more, and does not come back with an answer that is older", async () => {
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

test("what is added while an answer is on its way stays: it is asked again", async () => {
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

test("many hints while an answer is on its way ask once more, and not many times", async () => {
  const { held, asked } = setUp();
  for (let n = 0; n < 5; n += 1) held.read();
  asked[0].resolve([]);
  await settle();
  asked[1].resolve([waiting("a", { state: "rejected", reason: "No." })]);
  await settle();
  assert.equal(asked.length, 2);
  assert.equal(held.messages[0].reason, "No.");
});

test("without an answer everything stays as it is", async () => {
  const { held, asked } = setUp();
  held.reset([waiting("a")]);
  held.read();
  asked[0].reject(new Error("unreachable"));
  await settle();
  assert.equal(held.isEmpty, false);
});

test("what is withdrawn is gone; what was approved meanwhile is said, and asked for", async () => {
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
