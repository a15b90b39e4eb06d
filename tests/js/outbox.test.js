import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_WAITING, Outbox, takeOver, Unsent } from "../../static/state/messages/outbox.js";
import { FakeClock, FakeStorage } from "./fakes.js";

let lastId = 0;

function open({ storage = new FakeStorage(), clock = new FakeClock(), tab = "tab1", userId = "alice", room = "lobby" } = {}) {
  return new Outbox({ storage, userId, room, tab, now: clock.now, makeId: () => `c${(lastId += 1)}` });
}

function unsentIn({ storage, userId = "alice", room = "lobby" }) {
  return new Unsent({ storage, userId, room });
}

const texts = (outbox) => outbox.drafts.map(({ text }) => text);

test("a draft survives a reload, in its order, under its client id", () => {
  const storage = new FakeStorage();
  const before = open({ storage });
  const { client_id } = before.add("first");
  before.add("second");
  const after = open({ storage });
  after.claim();
  assert.deepEqual(texts(after), ["first", "second"]);
  assert.equal(after.next.client_id, client_id);
});

test("drafts of a room's former address move to the new one with the same client ids (U09)", () => {
  const storage = new FakeStorage();
  const before = open({ storage, room: "dm-1" });
  const { client_id } = before.add("first");
  unsentIn({ storage, room: "dm-1" }).text = "half a sentence";
  open({ storage, room: "dm-12" }).add("of another room");
  takeOver({ storage, userId: "alice", room: "dm_2", formerRoom: "dm-1" });
  const after = open({ storage, room: "dm_2" });
  after.claim();
  assert.deepEqual(texts(after), ["first"]);
  assert.equal(after.next.client_id, client_id);
  assert.equal(unsentIn({ storage, room: "dm_2" }).text, "half a sentence");
  const left = Array.from({ length: storage.length }, (_, index) => storage.key(index));
  assert.equal(left.filter((key) => /:dm-1(:|$)/.test(key)).length, 0);
  assert.equal(left.filter((key) => key.includes(":dm-12:")).length, 1);
});

test("stored and discarded drafts are removed", () => {
  const storage = new FakeStorage();
  const outbox = open({ storage });
  outbox.remove(outbox.add("first").client_id);
  const after = open({ storage });
  after.claim();
  assert.deepEqual(texts(after), []);
  assert.equal(storage.length, 0);
});

test("an account and a room have only their own drafts", () => {
  const storage = new FakeStorage();
  open({ storage }).add("of alice");
  const others = [open({ storage, userId: "bob" }), open({ storage, room: "kitchen" })];
  for (const outbox of others) {
    outbox.claim();
    assert.deepEqual(texts(outbox), []);
  }
});

test("drafts of an open tab stay with it; those of a dead tab are taken over", () => {
  const storage = new FakeStorage();
  const clock = new FakeClock();
  const first = open({ storage, clock });
  first.add("hello");
  const second = open({ storage, clock, tab: "tab2" });
  clock.sleep(15_000);
  first.claim();
  clock.sleep(15_000);
  assert.equal(second.claim(), false);
  clock.sleep(6_000);
  assert.equal(second.claim(), true);
  assert.deepEqual(texts(second), ["hello"]);
});

test("a closed tab releases its drafts at once", () => {
  const storage = new FakeStorage();
  const first = open({ storage });
  first.add("hello");
  first.release();
  const second = open({ storage, tab: "tab2" });
  assert.equal(second.claim(), true);
});

test("a draft that another tab saw stored is dropped here too", () => {
  const outbox = open();
  const { client_id } = outbox.add("hello");
  assert.equal(outbox.notice(`chatroom:outbox:alice:lobby:${client_id}`, "changed"), false);
  assert.equal(outbox.notice(`chatroom:outbox:bob:lobby:${client_id}`, null), false);
  assert.equal(outbox.notice(null, null), false);
  assert.equal(outbox.notice(`chatroom:outbox:alice:lobby:${client_id}`, null), true);
  assert.deepEqual(texts(outbox), []);
});

test("a failed draft does not block the next, keeps its reason after a reload, and can be retried", () => {
  const storage = new FakeStorage();
  const outbox = open({ storage });
  const { client_id } = outbox.add("too long");
  outbox.add("fine");
  outbox.fail(client_id, "It is too long.");
  assert.equal(outbox.next.text, "fine");
  const after = open({ storage });
  after.claim();
  assert.equal(after.drafts[0].problem, "It is too long.");
  after.retry(client_id);
  assert.equal(after.next.client_id, client_id);
});

test("an unstored draft is not sent automatically half a day later", () => {
  const storage = new FakeStorage();
  const clock = new FakeClock();
  open({ storage, clock }).add("dinner is ready");
  clock.sleep(13 * 60 * 60 * 1000);
  const after = open({ storage, clock });
  after.claim();
  assert.equal(after.next, undefined);
  assert.match(after.drafts[0].problem, /draft is old/);
});

test("an outbox is full at its limit", () => {
  const outbox = open();
  for (let index = 0; index < MAX_WAITING; index += 1) outbox.add(`${index}`);
  assert.ok(outbox.isFull);
  assert.deepEqual(texts(outbox).slice(0, 3), ["0", "1", "2"], "written in the same millisecond, still in order");
});

test("without storage, or with a full one, drafts live as long as the page", () => {
  const forbidden = { get length() { throw new Error("SecurityError"); }, setItem() { throw new Error("QuotaExceededError"); }, removeItem() { throw new Error(); }, getItem() { throw new Error(); } };
  for (const storage of [undefined, forbidden]) {
    const outbox = open({ storage: storage ?? null });
    outbox.add("hello");
    outbox.claim();
    const unsent = unsentIn({ storage: storage ?? null });
    unsent.text = "typing";
    assert.deepEqual([texts(outbox), unsent.text, unsent.files], [["hello"], "", []]);
    takeOver({ storage, userId: "alice", room: "lobby", formerRoom: "foyer" });
  }
});

test("invalid data in the storage is ignored", () => {
  const storage = new FakeStorage();
  storage.setItem("chatroom:outbox:alice:lobby:c", "{broken");
  storage.setItem("chatroom:outbox:alice:lobby:d", '{"text": 5}');
  const outbox = open({ storage });
  outbox.claim();
  assert.deepEqual(texts(outbox), []);
});

test("the text of the composer is kept for each account and room", () => {
  const storage = new FakeStorage();
  unsentIn({ storage }).text = "half a sent";
  assert.equal(unsentIn({ storage }).text, "half a sent");
  assert.equal(unsentIn({ storage, userId: "bob" }).text, "");
  unsentIn({ storage }).text = "";
  assert.equal(storage.length, 0);
});

test("a draft keeps its files, and so does the unsent text", () => {
  const storage = new FakeStorage();
  const files = [{ id: "f1", name: "a.jpg" }];
  const before = open({ storage });
  before.add("look", { files });
  unsentIn({ storage }).files = files;
  const after = open({ storage });
  after.claim();
  assert.deepEqual(after.next.files, files);
  assert.deepEqual(unsentIn({ storage }).files, files);
  unsentIn({ storage }).files = [];
  assert.deepEqual(unsentIn({ storage }).files, []);
  storage.setItem("chatroom:draft:alice:lobby:files", "not JSON");
  assert.deepEqual(unsentIn({ storage }).files, []);
});
