import assert from "node:assert/strict";
import { test } from "node:test";

import { Notifications } from "../../static/state/outbound/notifications.js";
import { FakeStorage } from "./fakes.js";

const ME = { id: "me", name: "Me" };
const ALICE = { id: "alice", name: "Alice" };
const LOBBY = { slug: "lobby", title: "Lobby", kind: "public", notify: "mentions" };
const DIRECT = { slug: "dm-1", title: "Alice", kind: "direct", notify: "mentions" };

function stage({ isLooking = false, mayNotify = true, isQuiet = false } = {}) {
  const shown = [];
  const beeps = [];
  const isOpen = (isOver) => ({ tag, revision }) => !isOver({ tag, data: { url: "", revision } });
  const browser = {
    isLooking: () => isLooking,
    mayNotify: () => mayNotify,
    show: (title, details) => shown.push({ title, ...details }),
    close: (isOver) => shown.splice(0, Infinity, ...shown.filter(isOpen(isOver))),
    once: (name, ms, action) => action(),
    beep: () => beeps.push(1),
  };
  return { notifications: new Notifications({ user: ME, browser, storage: new FakeStorage(), isQuiet: () => isQuiet }), shown, beeps };
}

function message(more = {}) {
  return { sequence: 7, revision: more.sequence ?? 7, author: ALICE, text: "hi\n  there", ...more };
}

test("a message that mentions the reader notifies once, by its tag", () => {
  const { notifications, shown } = stage();
  notifications.take(LOBBY, [message(), message({ mentions: ["me"] }), message({ mentions: ["bob"] })]);
  assert.deepEqual(shown, [{ title: "Alice in Lobby", body: "hi\n  there", tag: "lobby-7", url: "/chatroom/lobby/7", revision: 7 }]);
});

test("@room mentions everybody, and in direct conversations every message counts", () => {
  const { notifications } = stage();
  assert.ok(notifications.concerns(LOBBY, message({ mentions: ["room"] })));
  assert.ok(notifications.concerns(DIRECT, message()));
  assert.ok(notifications.concerns({ ...LOBBY, notify: "all" }, message()));
});

test("an edit notifies those whom it mentions for the first time, unless the post has notified them", () => {
  const { notifications } = stage();
  const edited = (new_mentions) => message({ revision: 9, mentions: ["me"], new_mentions });
  assert.ok(notifications.concerns(LOBBY, edited(["me"])));
  assert.ok(notifications.concerns(LOBBY, edited(["room"])));
  for (const [room, change] of [
    [LOBBY, edited(["bob"])],
    [DIRECT, edited(["me"])],
    [{ ...LOBBY, notify: "all" }, edited(["me"])],
    [{ ...LOBBY, notify: "none" }, edited(["me"])],
  ]) {
    assert.ok(!notifications.concerns(room, change));
  }
});

test("unwanted and own messages, events and deletions do not notify", () => {
  const { notifications } = stage();
  for (const [room, more] of [
    [LOBBY, {}],
    [{ ...DIRECT, notify: "none" }, { mentions: ["me"] }],
    [DIRECT, { author: ME }],
    [DIRECT, { kind: "event" }],
    [DIRECT, { deleted_at: "2026-11-21T01:02:03Z" }],
  ]) {
    assert.ok(!notifications.concerns(room, message(more)));
  }
});

test("a visible page does not notify", () => {
  const { notifications, shown } = stage({ isLooking: true });
  notifications.take(DIRECT, [message()]);
  assert.deepEqual(shown, []);
});

test("a sound is played only if it is turned on, and only with a notification", () => {
  const { notifications, beeps, shown } = stage({ mayNotify: false });
  notifications.take(DIRECT, [message()]);
  assert.equal(beeps.length, 0);
  notifications.hasSound = true;
  notifications.take(DIRECT, [message()]);
  notifications.take(LOBBY, [message()]);
  assert.equal(beeps.length, 1);
  assert.deepEqual(shown, []);
  notifications.hasSound = false;
  notifications.take(DIRECT, [message()]);
  assert.equal(beeps.length, 1);
});

test("unknown texts are not shown", () => {
  const { notifications, shown } = stage();
  notifications.take(DIRECT, [message({ text: undefined }), message({ text: undefined, html: "<p>a &lt;b&gt;</p>" })]);
  assert.deepEqual(shown.map(({ body }) => body), ["New message", "a <b>"]);
});

test("after an absence the newest messages notify", () => {
  const { notifications, shown } = stage();
  notifications.take(DIRECT, [1, 2, 3, 4, 5].map((sequence) => message({ sequence })));
  assert.deepEqual(shown.map(({ tag }) => tag), ["dm-1-3", "dm-1-4", "dm-1-5"]);
});

function withNotifications() {
  const { notifications, shown } = stage();
  notifications.take({ ...DIRECT, slug: "dm-1-a" }, [message({ sequence: 3 })]);
  notifications.take(DIRECT, [3, 7, 9].map((sequence) => message({ sequence })));
  notifications.take(LOBBY, [message({ sequence: 4, revision: 12, mentions: ["me"], new_mentions: ["me"] })]);
  return { notifications, left: () => shown.map(({ tag }) => tag).join(" ") };
}

test("a notification closes when its message is read on any device", () => {
  const { notifications, left } = withNotifications();
  notifications.receive({ type: "read", room: "dm-1", sequence: 7 });
  assert.equal(left(), "dm-1-a-3 dm-1-9 lobby-4");
  notifications.receive({ type: "read", room: "lobby", sequence: 11 });
  assert.equal(left(), "dm-1-a-3 dm-1-9 lobby-4", "the edit is newer");
  notifications.receive({ type: "read", room: "lobby", sequence: 12 });
  assert.equal(left(), "dm-1-a-3 dm-1-9");
});

test("a notification closes when its message is deleted, or the room is left", () => {
  const { notifications, left } = withNotifications();
  notifications.receive({ type: "changes", room: "dm-1", revision: 10, messages: [message({ revision: 10, deleted_at: "now" }), message({ sequence: 9 })] });
  assert.equal(left(), "dm-1-a-3 dm-1-3 dm-1-9 lobby-4");
  notifications.receive({ type: "closed", room: "dm-1" });
  assert.equal(left(), "dm-1-a-3 lobby-4");
  notifications.receive({ type: "presence", room: "dm-1" });
});

test("after an absence the notifications of read messages and of unknown rooms close", () => {
  const { notifications, left } = withNotifications();
  notifications.tidy(new Map([["dm-1", { readTo: 7 }], ["lobby", { readTo: 4 }]]));
  assert.equal(left(), "dm-1-9 lobby-4");
});

test("who does not want to be disturbed sees and hears nothing", () => {
  const { notifications, shown, beeps } = stage({ isQuiet: true });
  notifications.hasSound = true;
  notifications.take(DIRECT, [message()]);
  assert.deepEqual([shown, beeps], [[], []]);
});
