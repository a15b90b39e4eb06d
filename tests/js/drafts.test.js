import assert from "node:assert/strict";
import { test } from "node:test";
import { Drafts } from "../../static/state/messages/drafts.js";
import { MAX_WAITING, Outbox } from "../../static/state/messages/outbox.js";
import { Timeline } from "../../static/state/messages/timeline.js";
import { ALICE, FakeClock, FakeStorage, message, settle } from "./fakes.js";

function setUp({ storage = new FakeStorage(), tab = "tab1", clock = new FakeClock() } = {}) {
  const timeline = new Timeline({ user: ALICE });
  timeline.reset({ messages: [message(1)], revision: 1, hasOlder: false });
  const [posts, asked, counts] = [[], [], { changed: 0, stored: 0 }];
  let lastId = 0;
  const connection = {
    canSend: true,
    state: { name: "live" },
    post: (draft) => new Promise((resolve) => posts.push({ draft, resolve })),
  };
  const outbox = new Outbox({ storage, userId: "alice", room: "lobby", tab, now: clock.now, makeId: () => `${tab}-${(lastId += 1)}` });
  const drafts = new Drafts({
    outbox,
    connection,
    timeline,
    clock,
    api: { readHeld: async () => ({ held: asked.push("held") && [] }) },
    onChange: () => (counts.changed += 1),
    onStored: () => (counts.stored += 1),
    onWait() {},
  });
  return { drafts, timeline, posts, asked, counts, connection, clock, storage };
}

const waiting = ({ waiting: all }) => all.map(({ text }) => text);

test("a stored draft is in the timeline until its change arrives, and no longer pending", async () => {
  const { drafts, timeline, posts, counts } = setUp();
  drafts.add("hello", { reply_to: 1 });
  assert.deepEqual(waiting(drafts), ["hello"]);
  posts[0].resolve({ type: "stored", id: "id2", client_id: "tab1-1", sequence: 2, revision: 2 });
  await settle();
  const { text, reply_to, isProvisional, sent_at } = timeline.find(2);
  assert.deepEqual([text, reply_to, isProvisional], ["hello", 1, true]);
  assert.equal(sent_at, new Date(1_000_000).toISOString());
  assert.deepEqual([waiting(drafts), counts.stored], [[], 1]);
});

test("a held draft waits for approval instead", async () => {
  const { drafts, posts } = setUp();
  drafts.add("hello", {});
  posts[0].resolve({ type: "held", id: "h1", client_id: "tab1-1" });
  await settle();
  assert.deepEqual(waiting(drafts), []);
  assert.deepEqual(drafts.held.messages.map(({ text }) => text), ["hello"]);
  drafts.confirm("tab1-1");
  assert.ok(drafts.held.isEmpty);
});

test("a failed draft is retried, or returned with its text and files", async () => {
  const { drafts, posts } = setUp();
  drafts.add("hello", { files: [{ id: "f1" }] });
  posts[0].resolve({ type: "refused", reason: "muted", message: "You are muted." });
  await settle();
  const [{ client_id, problem }] = drafts.waiting;
  assert.equal(problem, "You are muted.");
  drafts.retry(client_id);
  assert.equal(posts.length, 2);
  assert.deepEqual(drafts.take(client_id).files, [{ id: "f1" }]);
  assert.deepEqual(waiting(drafts), []);
});

test("a full outbox is reported before the composer is emptied", () => {
  const { drafts } = setUp();
  assert.equal(drafts.problem, "");
  for (let index = 0; index < MAX_WAITING; index += 1) drafts.add(`${index}`, {});
  assert.match(drafts.problem, /^100 messages are waiting/);
});

test("it takes over the drafts of a closed tab, except those that are already stored", async () => {
  const first = setUp();
  first.connection.canSend = false;
  first.drafts.start([]);
  first.drafts.add("on its way", {});
  first.drafts.add("stored", {});
  first.drafts.leave();
  const second = setUp({ storage: first.storage, tab: "tab2" });
  second.timeline.applyChanges({ revision: 2, messages: [message(2, { author: ALICE, client_id: "tab1-2" })] });
  second.drafts.start([]);
  assert.deepEqual(waiting(second.drafts), ["on its way"]);
  assert.deepEqual(second.posts.map(({ draft }) => draft.text), ["on its way"]);
  await first.clock.pass(5000);
  first.drafts.notice({ key: "chatroom:outbox:alice:lobby:tab1-2", newValue: null });
  assert.deepEqual(waiting(first.drafts), ["on its way"]);
});

test("without a live connection it polls the held messages", async () => {
  const { drafts, asked, connection, clock } = setUp();
  connection.state = { name: "polling" };
  drafts.start([{ id: "h1", client_id: "c1", text: "hi", state: "waiting" }]);
  await settle();
  assert.equal(asked.length, 1);
  await clock.pass(15_000);
  assert.equal(asked.length, 1, "nothing waits any more");
});

test("a draft that waits for slow mode or a limit says how long, and those behind it wait for it", async () => {
  const { drafts, posts, counts, clock, connection } = setUp();
  const said = () => drafts.waiting.map((draft) => drafts.explain(draft));
  drafts.add("first", {});
  drafts.add("second", {});
  assert.deepEqual(said(), ["Sending…", "Sending…"]);
  posts[0].resolve({ type: "refused", reason: "too_fast", message: "This room is slow.", retryAfterMs: 17_400 });
  await settle();
  assert.deepEqual(said(), ["Waiting 18 s", "Waiting for the message above."]);
  const { changed } = counts;
  await clock.pass(10_000);
  assert.ok(counts.changed >= changed + 10, "each second is shown");
  assert.deepEqual(said(), ["Waiting 8 s", "Waiting for the message above."]);
  connection.state = { name: "offline" };
  assert.equal(said()[0], "Waiting until you are online again.");
  connection.state = { name: "live" };
  await clock.pass(7500);
  assert.deepEqual([posts.length, ...said()], [2, "Sending…", "Sending…"]);
  await clock.pass(5000);
  assert.equal(said()[0], "Not stored yet, still trying.");
});
