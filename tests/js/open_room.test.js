import assert from "node:assert/strict";
import { test } from "node:test";
import { Timeline } from "../../static/state/messages/timeline.js";
import { OpenRoom } from "../../static/state/rooms/open_room.js";
import { ALICE, BOB, message, messages } from "./fakes.js";

/** A room whose parts only write down what they are told. */
function setUp({ held = [], wait = 0 } = {}) {
  const said = [];
  const part = (name, more = {}) =>
    new Proxy(more, {
      get: (target, method) =>
        target[method] ??
        ((...details) => {
          said.push([`${name}.${method}`, ...details]);
        }),
    });
  const timeline = new Timeline({ user: ALICE });
  timeline.reset({ messages: messages(1, 3), revision: 3, hasOlder: false });
  const connection = { canSend: false };
  const heldMessages = part("held", { messages: held, isEmpty: held.length === 0 });
  const room = new OpenRoom({
    page: { user: ALICE, room: { slug: "lobby" } },
    timeline,
    connection,
    quotes: part("quotes"),
    drafts: part("drafts", { held: heldMessages }),
    following: part("following"),
    notifications: part("notifications"),
    views: {
      reader: part("reader", { show: (also) => said.push(["reader.show"]) && also() }),
      writing: part("writing"),
      editor: part("editor"),
      actions: part("actions"),
      pins: part("pins"),
      people: part("people"),
      room: part("room", { waitAfter: () => wait }),
      state: part("state"),
      cases: part("cases"),
    },
  });
  const names = () => said.map(([name]) => name);
  const named = (name) => said.filter(([each]) => each === name).map(([, ...details]) => details);
  return { room, timeline, connection, said, names, named };
}

const changes = (all) => ({ type: "changes", room: "lobby", revision: all.at(-1).revision, messages: all });

test("an edit that mentions somebody reaches the notifications once", () => {
  const { room, named } = setUp();
  const edit = message(2, { revision: 4, new_mentions: ["alice"] });
  room.receive(changes([edit]), { isMissed: false });
  room.receive(changes([edit, message(3, { revision: 5 })]), { isMissed: false });
  assert.deepEqual(named("notifications.take").map(([, messages]) => messages), [[edit], []]);
});

test("changes reach the timeline first, then every part that shows them", () => {
  const { room, names, timeline } = setUp();
  room.receive(changes([message(4)]), { isMissed: false });
  assert.equal(timeline.newestSequence, 4);
  assert.deepEqual(names(), [
    "following.receive",
    "notifications.receive",
    "quotes.take",
    "notifications.take",
    "reader.take",
    "reader.show",
    "writing.show",
    "pins.take",
    "reader.renewQuotes",
    "writing.renewAnswer",
    "actions.renew",
  ]);
});

test("frames of other rooms go only to the list of rooms and the notifications", () => {
  const { room, names } = setUp();
  room.receive({ ...changes([message(4)]), room: "den" }, { isMissed: false });
  room.receive({ type: "approval", room: "den" }, {});
  assert.deepEqual(new Set(names()), new Set(["following.receive", "notifications.receive"]));
});

test("an own message confirms its draft, and starts the wait of slow mode", () => {
  const { room, named } = setUp({ wait: 3000 });
  room.receive(changes([message(4, { author: ALICE, client_id: "c1" }), message(5, { author: BOB, client_id: "c2" })]), {});
  assert.deepEqual(named("drafts.confirm"), [["c1"]]);
  assert.deepEqual(named("writing.countDown"), [[3000]]);
});

test("messages between the page and the first connection are new once, although they arrive again", () => {
  const { room, named } = setUp();
  // 3 is on the page and told again, as the cursor was read before the page; 4 came after both.
  room.receive(changes([message(3), message(4)]), { isMissed: true });
  room.receive(changes([message(4)]), { isMissed: false });
  assert.deepEqual(named("reader.take").map(([arrived]) => arrived.map(({ sequence }) => sequence)), [[4], []]);
  assert.deepEqual(named("notifications.take").map(([, arrived]) => arrived.length), [1, 0]);
});

test("a fresh page without held messages does not read them again", () => {
  const { room, named } = setUp();
  for (const name of ["connecting", "catching_up", "live"]) room.connected({ name });
  assert.equal(named("held.read").length, 0);
  room.connected({ name: "reconnecting" });
  room.connected({ name: "live" });
  assert.equal(named("held.read").length, 1);
});

test("a fresh page with held messages reads them again, because they may be rejected by then", () => {
  const { room, named } = setUp({ held: [{ id: "h1" }] });
  for (const name of ["connecting", "live"]) room.connected({ name });
  assert.equal(named("held.read").length, 1);
});

test("a cached page reads the held messages again", () => {
  const { room, named } = setUp();
  for (const name of ["connecting", "offline", "live"]) room.connected({ name });
  assert.equal(named("held.read").length, 1);
});

test("drafts and edits continue when the connection is back, and a closed room shows the reason", () => {
  const { room, connection, names, named } = setUp();
  room.connected({ name: "connecting" });
  assert.ok(!names().includes("drafts.resume"));
  connection.canSend = true;
  room.connected({ name: "live" });
  assert.ok(names().includes("drafts.resume") && names().includes("editor.resume"));
  room.connected({ name: "closed", message: "You were removed." });
  assert.deepEqual(named("room.close"), [["You were removed."]]);
});

test("a moderator's numbers are read again when a case comes or goes, and after a gap", () => {
  const { room, names } = setUp();
  room.connected({ name: "live" });
  assert.ok(!names().some((name) => name.startsWith("cases.")), "the server has just counted them");
  room.receive({ type: "cases" });
  assert.equal(names().filter((name) => name === "cases.renew").length, 1);
  room.connected({ name: "connecting" });
  room.connected({ name: "live" });
  assert.equal(names().filter((name) => name === "cases.catchUp").length, 1);
});
