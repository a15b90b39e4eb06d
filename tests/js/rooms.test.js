import assert from "node:assert/strict";
import { test } from "node:test";

import { isNaming, MOST_UNREAD, Rooms, shorten } from "../../static/state/rooms/rooms.js";

const ANN = { id: "ann" };
const BEN = { id: "ben" };

function listed(slug, more = {}) {
  return { slug, title: slug, kind: "public", notify: "all", unread: 0, mentions: 0, revision: 10, read_sequence: 10, ...more };
}

function make(...list) {
  const rooms = new Rooms({ user: ANN, open: "lobby" });
  rooms.reset(list.length ? list : [listed("den")]);
  return rooms;
}

function said(sequence, more = {}) {
  return { sequence, revision: sequence, author: BEN, ...more };
}

function take(rooms, ...messages) {
  rooms.take({ room: "den", revision: Math.max(...messages.map(({ revision }) => revision)), messages });
}

const counts = (rooms, slug = "den") => [rooms.get(slug).unread, rooms.get(slug).urgent];

test("messages of others are counted once, and those addressed to the person also as mentions", () => {
  const rooms = make();
  take(rooms, said(11), said(12, { mentions: ["ann"] }));
  take(rooms, said(12, { mentions: ["ann"] }), said(13, { mentions: ["room"] }));
  assert.deepEqual(counts(rooms), [3, 2]);
  assert.equal(rooms.get("den").cursor, 13);
});

test("own messages, events, deleted and old messages do not count", () => {
  const rooms = make();
  take(rooms, said(11, { author: ANN }), said(12, { kind: "event" }), said(13, { deleted_at: "now" }), said(3, { revision: 14 }));
  assert.deepEqual(counts(rooms), [0, 0]);
});

test("a line that says what somebody did to the person counts", () => {
  const rooms = make();
  take(rooms, said(11, { kind: "event", mentions: ["ann"] }), said(12, { kind: "event", mentions: ["carol"] }));
  assert.deepEqual(counts(rooms), [1, 1]);
  rooms.see({ room: "den", sequence: 12 });
  assert.deepEqual(counts(rooms), [0, 0]);
});

test("deleted messages are not unread", () => {
  const rooms = make();
  take(rooms, said(11), said(12));
  take(rooms, said(11, { revision: 13, deleted_at: "now" }));
  assert.deepEqual(counts(rooms), [1, 0]);
});

test("it continues from the server's count", () => {
  const rooms = make(listed("den", { unread: 4, mentions: 1, read_sequence: 5 }));
  take(rooms, said(11));
  assert.deepEqual(counts(rooms), [5, 1]);
});

test("reading to the end on any device clears the count for good", () => {
  const rooms = make(listed("den", { unread: 4, mentions: 1, read_sequence: 5 }));
  take(rooms, said(11), said(12));
  rooms.read({ room: "den", sequence: 11 });
  assert.deepEqual(counts(rooms), [1, 0]);
  rooms.read({ room: "den", sequence: 3 });
  take(rooms, said(11, { revision: 13 }));
  assert.deepEqual(counts(rooms), [1, 0]);
  assert.equal(rooms.isInDoubt, false);
});

test("reading a part of the server's count is in doubt until the list is read", () => {
  const rooms = make(listed("den", { unread: 4, read_sequence: 5 }));
  rooms.read({ room: "den", sequence: 7 });
  assert.equal(rooms.isInDoubt, true);
  rooms.reset([listed("den", { unread: 2, read_sequence: 7 })]);
  assert.equal(rooms.isInDoubt, false);
  assert.deepEqual(counts(rooms), [2, 0]);
});

test("the list is read only after the server has stored what was read on this page", () => {
  const rooms = make(listed("den", { unread: 4, read_sequence: 5 }));
  rooms.see({ room: "den", sequence: 7 });
  assert.equal(rooms.isInDoubt, false);
  rooms.read({ room: "den", sequence: 7 });
  assert.equal(rooms.isInDoubt, true);
  rooms.reset([listed("den", { unread: 2, read_sequence: 7 })]);
  rooms.read({ room: "den", sequence: 7 });
  assert.equal(rooms.isInDoubt, false, "its own position comes back once");
  rooms.see({ room: "den", sequence: 10 });
  assert.deepEqual(counts(rooms), [0, 0]);
});

test("so is a deletion within the server's count", () => {
  const rooms = make(listed("den", { unread: 4, read_sequence: 5 }));
  take(rooms, said(8, { revision: 11, deleted_at: "now" }));
  assert.equal(rooms.isInDoubt, true);
});

test("an outdated list does not reset the count", () => {
  const rooms = make();
  take(rooms, said(11), said(12));
  rooms.reset([listed("den", { unread: 1, revision: 11 })]);
  assert.deepEqual(counts(rooms), [2, 0]);
  assert.equal(rooms.get("den").cursor, 12);
  rooms.read({ room: "den", sequence: 12 });
  rooms.reset([listed("den", { unread: 2, revision: 12, read_sequence: 10 })]);
  assert.deepEqual(counts(rooms), [0, 0]);
});

test("a list from before a mark as unread changes no count", () => {
  const rooms = make(listed("den"));
  assert.equal(rooms.read({ room: "den", sequence: 4, unread_marks: 1 }), true);
  rooms.reset([listed("den", { unread: 6, read_sequence: 4, unread_from: 5, unread_marks: 1 })]);
  rooms.reset([listed("den")]);
  assert.deepEqual([counts(rooms), rooms.get("den").isMarked], [[6, 0], true]);
  assert.equal(rooms.read({ room: "den", sequence: 4, unread_marks: 1 }), false);
  take(rooms, said(11));
  assert.deepEqual(counts(rooms), [7, 0]);
  rooms.read({ room: "den", sequence: 11, unread_marks: 1 });
  assert.deepEqual(counts(rooms), [0, 0]);
});

test("in a direct conversation every message is addressed to the person; in a muted room none is", () => {
  const rooms = make(listed("den", { kind: "direct" }), listed("hall", { notify: "none", unread: 3, mentions: 1 }));
  take(rooms, said(11));
  assert.deepEqual(counts(rooms), [1, 1]);
  assert.deepEqual([rooms.urgent, rooms.unread], [1, 1]);
});

test("urgent rooms come first, then unread ones, then by name", () => {
  const rooms = make(
    listed("lobby"),
    listed("beta"),
    listed("Alpha"),
    listed("news", { unread: 2, read_sequence: 1 }),
    listed("call", { unread: 2, mentions: 1, read_sequence: 1 }),
    listed("muted", { unread: 9, notify: "none", read_sequence: 1 }),
    listed("ben", { kind: "direct" }),
  );
  assert.deepEqual(
    rooms.list(false).map(({ slug }) => slug),
    ["call", "news", "Alpha", "beta", "lobby", "muted"],
  );
  assert.deepEqual(
    rooms.others.map(({ slug }) => slug),
    ["call", "news", "ben", "Alpha", "beta", "muted"],
  );
});

test("a removed room is removed, and frames about it are ignored", () => {
  const rooms = make(listed("den"), listed("hall"));
  rooms.reset([listed("hall")]);
  take(rooms, said(11));
  rooms.read({ room: "den", sequence: 11 });
  assert.equal(rooms.get("den"), undefined);
});

test("a mention that an edit adds to a read message counts until the edit is read", () => {
  const rooms = make();
  const edit = said(3, { revision: 11, mentions: ["ann"], new_mentions: ["ann"] });
  const frame = { room: "den", revision: 11, messages: [edit] };
  assert.deepEqual(rooms.take(frame), [edit], "it notifies");
  assert.deepEqual(rooms.take(frame), []);
  assert.deepEqual(counts(rooms), [0, 1]);
  take(rooms, said(3, { revision: 12, mentions: ["ann"] }));
  assert.deepEqual(counts(rooms), [0, 1], "a reaction changes nothing");
  rooms.read({ room: "den", sequence: 11 });
  assert.deepEqual(counts(rooms), [0, 0]);
  take(rooms, said(4, { revision: 13, new_mentions: ["room"] }), said(5, { revision: 14, new_mentions: ["ben"] }));
  assert.deepEqual(counts(rooms), [0, 1]);
  take(rooms, said(4, { revision: 15, deleted_at: "now" }));
  assert.deepEqual(counts(rooms), [0, 0]);
});

test("a mention that an edit adds to an unread message counts once", () => {
  const rooms = make();
  take(rooms, said(11));
  take(rooms, said(11, { revision: 12, mentions: ["ann"], new_mentions: ["ann"] }));
  assert.deepEqual(counts(rooms), [1, 1]);
});

test("the count is limited like the server's", () => {
  const rooms = make(listed("den", { unread: MOST_UNREAD, read_sequence: 1 }));
  take(rooms, said(11));
  assert.equal(rooms.get("den").unread, MOST_UNREAD);
  assert.deepEqual([shorten(MOST_UNREAD), shorten(7)], ["99+", "7"]);
});

test("posts are reported once, changes are not", () => {
  const rooms = make();
  const frame = { room: "den", revision: 12, messages: [said(11), said(3, { revision: 12 })] };
  assert.deepEqual(rooms.take(frame).map(({ sequence }) => sequence), [11]);
  assert.deepEqual(rooms.take(frame), []);
  assert.deepEqual(rooms.take({ ...frame, room: "elsewhere" }), []);
});

test("a conversation is listed from its first message on, and followed before", () => {
  const rooms = make(listed("both", { kind: "direct", revision: 0, read_sequence: 0 }), listed("den", { revision: 0 }));
  const slugs = (list) => list.map(({ slug }) => slug);
  assert.deepEqual([slugs(rooms.list(true)), slugs(rooms.list(false))], [[], ["den"]]);
  assert.deepEqual(slugs(rooms.others), ["both", "den"]);
  rooms.take({ room: "both", revision: 1, messages: [said(1)] });
  assert.deepEqual(slugs(rooms.list(true)), ["both"]);
  assert.deepEqual(counts(rooms, "both"), [1, 1]);
});

test("the open conversation is listed before its first message", () => {
  const rooms = make(listed("lobby", { kind: "direct", revision: 0 }));
  assert.equal(rooms.list(true).length, 1);
});

const shown = ({ sections: { starred, rooms, direct } }) => [starred, rooms, direct].map((list) => list.map(({ slug }) => slug).join(" "));

test("the sections keep their order, whatever is new", () => {
  const rooms = make(
    listed("beta"),
    listed("Alpha", { archived: true }),
    listed("zoo", { is_starred: true }),
    listed("den"),
    listed("carol", { kind: "direct" }),
    listed("ben", { kind: "direct" }),
  );
  assert.deepEqual(shown(rooms), ["zoo", "beta den Alpha", "carol ben"]);
  take(rooms, said(11, { mentions: ["ann"] }));
  rooms.take({ room: "ben", revision: 11, messages: [said(11)] });
  assert.deepEqual(shown(rooms), ["zoo", "beta den Alpha", "carol ben"]);
});

test("what appears later is above the conversations that one has seen", () => {
  const direct = (slug, more) => listed(slug, { kind: "direct", ...more });
  const begun = [direct("carol"), direct("ben", { is_hidden: true })];
  const rooms = make(...begun, direct("dan", { revision: 0, read_sequence: 0 }));
  assert.deepEqual(shown(rooms)[2], "carol");
  rooms.reset([...begun, direct("dan", { revision: 0, read_sequence: 0 }), direct("eve")]);
  assert.deepEqual(shown(rooms)[2], "eve carol");
  rooms.take({ room: "dan", revision: 1, messages: [said(1)] });
  rooms.take({ room: "ben", revision: 11, messages: [said(11)] });
  assert.deepEqual(shown(rooms)[2], "ben dan eve carol");
});

test("a hidden room is not listed and not counted until its next message", () => {
  const rooms = make(listed("den", { unread: 2, mentions: 1, read_sequence: 5 }), listed("hall"));
  rooms.arrange("den", { is_hidden: true });
  assert.deepEqual(shown(rooms)[1], "hall");
  assert.deepEqual([rooms.unread, rooms.urgent], [0, 0]);
  assert.deepEqual(rooms.list(false).map(({ slug }) => slug), ["den", "hall"], "one can jump to it");
  take(rooms, said(3, { revision: 11 }));
  assert.deepEqual(shown(rooms)[1], "hall", "a reaction is no message");
  take(rooms, said(12));
  assert.deepEqual(shown(rooms)[1], "den hall");
  assert.deepEqual([rooms.unread, rooms.urgent], [3, 1]);
  rooms.reset([listed("den", { is_hidden: true, revision: 10 }), listed("hall")]);
  assert.deepEqual(shown(rooms)[1], "den hall", "this list is older than the message");
  rooms.reset([listed("den", { is_hidden: true, revision: 12 }), listed("hall")]);
  assert.deepEqual(shown(rooms)[1], "hall", "it was hidden again, on another device");
});

test("a hidden muted room stays hidden; a star shows it", () => {
  const rooms = make(listed("den", { is_hidden: true, notify: "none" }), listed("hall"));
  take(rooms, said(11));
  assert.deepEqual(shown(rooms), ["", "hall", ""]);
  rooms.arrange("den", { is_starred: true });
  assert.deepEqual(shown(rooms), ["den", "hall", ""]);
  rooms.arrange("den", { is_starred: false, notify: "all" });
  assert.deepEqual(shown(rooms), ["", "den hall", ""]);
});

test("after a pause, Unmute brings back what was chosen before; after a mute, mentions", () => {
  const tomorrow = "2026-11-29T08:00:00Z";
  const rooms = make(
    listed("den", { notify: "none", chosen: "all", paused_until: tomorrow }),
    listed("hall", { notify: "none", chosen: "none", paused_until: tomorrow }),
    listed("attic", { notify: "none", chosen: "none", paused_until: null }),
  );
  assert.deepEqual(["den", "hall", "attic"].map((slug) => rooms.get(slug).unmuted), ["all", "mentions", "mentions"]);
  rooms.arrange("den", { notify: "all" });
  const { notify, chosen, paused_until } = rooms.get("den");
  assert.deepEqual([notify, chosen, paused_until], ["all", "all", null]);
});

test("the open room is listed even if it is hidden", () => {
  const rooms = make(listed("lobby", { is_hidden: true }), listed("den", { is_hidden: true }));
  assert.deepEqual(shown(rooms)[1], "lobby");
});

test("@here names those whom it reached, also in a message that came with the page", () => {
  const named = (user, more) => isNaming(user, { userId: "ann", ...more });
  assert.ok(named("ann", {}) && named("room", {}) && !named("bob", { wasNamed: true }));
  assert.ok(named("here", { mentions: ["here", "ann"] }) && named("here", { wasNamed: true }));
  assert.ok(!named("here", { mentions: ["here", "bob"], wasNamed: true }) && !named("here", { wasNamed: false }));
});
