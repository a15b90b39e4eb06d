import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../static/state/live/api.js";
import { Outbox } from "../../static/state/messages/outbox.js";
import { Sender } from "../../static/state/messages/sender.js";
import { FakeClock, FakeStorage, settle } from "./fakes.js";

function setUp() {
  const clock = new FakeClock();
  let lastId = 0;
  const outbox = new Outbox({
    storage: new FakeStorage(),
    userId: "alice",
    room: "lobby",
    tab: "tab1",
    now: clock.now,
    makeId: () => `c${(lastId += 1)}`,
  });
  const posts = [];
  const connection = {
    canSend: true,
    post: (draft) => new Promise((resolve, reject) => posts.push({ draft, resolve, reject })),
  };
  const stored = [];
  const held = [];
  const sender = new Sender({
    outbox,
    connection,
    clock,
    onChange() {},
    onStored: (draft) => stored.push(draft.text),
    onHeld: (draft, { id }) => held.push([draft.text, id]),
  });
  const write = (text) => {
    outbox.add(text);
    sender.kick();
  };
  return { clock, outbox, posts, connection, stored, held, sender, write };
}

const STORED = { type: "stored", sequence: 1, revision: 1 };
const lost = () => new ApiError({ status: 0, reason: "unreachable", message: "" });

test("drafts are sent one at a time, in the order of writing", async () => {
  const { posts, stored, write, outbox } = setUp();
  write("first");
  write("second");
  assert.deepEqual(posts.map(({ draft }) => draft.text), ["first"]);
  posts[0].resolve(STORED);
  await settle();
  posts[1].resolve(STORED);
  await settle();
  assert.deepEqual([stored, outbox.drafts], [["first", "second"], []]);
});

test("a lost answer: the same draft is sent again with the same client id, before later drafts", async () => {
  const { clock, posts, write, stored } = setUp();
  write("first");
  write("second");
  posts[0].reject(lost());
  await clock.pass(1000);
  assert.deepEqual(posts.map(({ draft }) => draft.client_id), ["c1", "c1"]);
  posts[1].resolve(STORED);
  await settle();
  posts[2].resolve(STORED);
  await settle();
  assert.deepEqual(stored, ["first", "second"]);
});

test("too fast: it waits for the given time, and keeps the order", async () => {
  const { clock, posts, write } = setUp();
  write("first");
  write("second");
  posts[0].resolve({ type: "refused", reason: "too_fast", message: "Slow down.", retryAfterMs: 1500 });
  await clock.pass(1400);
  assert.equal(posts.length, 1);
  await clock.pass(200);
  assert.deepEqual(posts.map(({ draft }) => draft.text), ["first", "first"]);
});

test("a refused draft shows the reason, and the next one is sent", async () => {
  const { posts, outbox, write } = setUp();
  write("first");
  write("second");
  posts[0].resolve({ type: "refused", reason: "too_long", message: "It is too long." });
  await settle();
  assert.equal(outbox.drafts[0].problem, "It is too long.");
  assert.equal(posts[1].draft.text, "second");
});

test("after four seconds without an answer the draft is shown as slow, and is tried again (D01)", async () => {
  const { clock, posts, sender, write } = setUp();
  write("first");
  await clock.pass(3900);
  assert.equal(sender.slow.size, 0);
  await clock.pass(200);
  assert.deepEqual([...sender.slow], ["c1"]);
  posts[0].resolve({ type: "refused", reason: "unavailable", message: "", retryAfterMs: 1000 });
  await clock.pass(1100);
  assert.equal(posts.length, 2);
  posts[1].resolve(STORED);
  await clock.pass(10_000);
  assert.equal(sender.slow.size, 0);
});

test("the pause between retries grows, and ends when the connection is back", async () => {
  const { clock, posts, sender, write } = setUp();
  write("first");
  for (let attempt = 0; attempt < 8; attempt += 1) {
    posts.at(-1).reject(lost());
    await clock.pass(attempt < 7 ? 15_000 : 100);
  }
  assert.equal(posts.length, 8);
  sender.resume();
  assert.equal(posts.length, 9);
});

test("nothing is sent without a connection", async () => {
  const { clock, posts, connection, sender, write } = setUp();
  connection.canSend = false;
  write("first");
  await clock.pass(60_000);
  assert.equal(posts.length, 0);
  connection.canSend = true;
  sender.resume();
  assert.equal(posts.length, 1);
});

test("a draft that arrives in the timeline is stored, even without an answer", async () => {
  const { posts, outbox, sender, stored, write } = setUp();
  write("first");
  write("second");
  sender.confirm("c1");
  assert.deepEqual(outbox.drafts.map(({ text }) => text), ["second"]);
  assert.equal(posts.length, 2);
  posts[0].reject(lost());
  posts[1].resolve(STORED);
  await settle();
  assert.deepEqual(stored, ["second"]);
  sender.confirm("somebody else's");
});

test("when the session has ended the draft is kept", async () => {
  const { posts, connection, outbox, write } = setUp();
  write("first");
  connection.canSend = false;
  posts[0].reject(new ApiError({ status: 401, reason: "signed_out", message: "" }));
  await settle();
  assert.deepEqual([outbox.next.text, outbox.next.problem], ["first", ""]);
});

test("a held draft is not sent again, and the next one is sent", async () => {
  const { clock, posts, held, stored, write, outbox } = setUp();
  write("first");
  write("second");
  posts[0].resolve({ type: "held", id: "h1" });
  await settle();
  posts[1].resolve(STORED);
  await settle();
  await clock.pass(60_000);
  assert.deepEqual([held, stored, outbox.drafts, posts.length], [[["first", "h1"]], ["second"], [], 2]);
});

test("a rejected draft fails with the reason, and is not sent again automatically", async () => {
  const { clock, posts, write, outbox } = setUp();
  write("first");
  posts[0].resolve({ type: "refused", reason: "rejected", message: "A moderator rejected this message: No." });
  await clock.pass(60_000);
  assert.equal(posts.length, 1);
  assert.match(outbox.drafts[0].problem, /rejected this message/);
});
