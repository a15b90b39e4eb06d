import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../static/state/live/api.js";
import { Timers } from "../../static/state/kit/timers.js";
import { Following } from "../../static/state/rooms/following.js";
import { ReadPosition } from "../../static/state/rooms/read_position.js";
import { ALICE, BOB, FakeClock, message } from "./fakes.js";

function make() {
  const clock = new FakeClock();
  const sent = [];
  const line = { isUp: true };
  const send = (sequence) => {
    if (line.isUp) sent.push(sequence);
    return line.isUp;
  };
  return { clock, sent, line, position: new ReadPosition({ timers: new Timers(clock), position: 3, send }) };
}

test("the first position is reported at once, then the latest every five seconds", async () => {
  const { clock, sent, position } = make();
  assert.equal(position.see(4), true);
  for (const sequence of [5, 6, 7]) position.see(sequence);
  assert.deepEqual(sent, [4]);
  await clock.pass(5000);
  assert.deepEqual(sent, [4, 7]);
  await clock.pass(60_000);
  assert.deepEqual(sent, [4, 7]);
});

test("an earlier position is not reported", () => {
  const { sent, position } = make();
  assert.equal(position.see(3), false);
  position.apply(9);
  assert.equal(position.see(9), false);
  assert.deepEqual(sent, []);
});

test("leaving the page reports the last position", () => {
  const { sent, position } = make();
  position.see(4);
  position.see(5);
  position.report();
  position.report();
  assert.deepEqual(sent, [4, 5]);
});

test("without a connection it waits for the next one", () => {
  const { sent, line, position } = make();
  line.isUp = false;
  position.see(4);
  line.isUp = true;
  position.report();
  assert.deepEqual(sent, [4]);
});

test("after a mark as unread, nothing is read here until it is read elsewhere", async () => {
  const { clock, sent, position } = make();
  position.see(8);
  position.see(9); // it waits for the next report
  position.hold();
  position.apply(8, 0); // the answer to the first report
  position.apply(4, 1);
  assert.deepEqual([position.position, position.see(12)], [4, false]);
  await clock.pass(60_000);
  position.report();
  position.apply(9, 0);
  assert.deepEqual([sent, position.position], [[8], 4]);
  position.apply(12, 1);
  assert.equal(position.see(13), true);
  assert.deepEqual(sent, [8, 13]);
});

test("a mark that was read elsewhere in the meantime holds nothing, and neither does one that failed", () => {
  const { sent, position } = make();
  position.apply(7, 2, false);
  assert.equal(position.see(8), true);
  position.hold();
  assert.equal(position.see(9), false);
  position.release();
  assert.equal(position.see(9), true);
  assert.deepEqual(sent, [8]);
});

const listed = (slug, more = {}) => ({
  slug,
  title: slug,
  kind: "public",
  notify: "all",
  unread: 0,
  mentions: 0,
  revision: 10,
  read_sequence: 10,
  people: [],
  ...more,
});

/** Alice in the lobby, with two other rooms. */
function setUp({ most = 0, arrange, mark } = {}) {
  const clock = new FakeClock();
  const [sent, posts, typing, lists] = [[], [], [], []];
  const server = { rooms: [listed("lobby"), listed("den"), listed("attic")], asked: 0 };
  const connection = {
    canSend: true,
    state: { name: "live" },
    send: (frame) => Boolean(sent.push(frame)),
  };
  const api = {
    readRooms: async () => {
      server.asked += 1;
      return { rooms: server.rooms };
    },
    arrange,
    mark,
    findMembers: async () => ({ members: [ALICE, BOB], others: [{ id: "carol", name: "Carol" }] }),
  };
  const following = new Following({
    user: ALICE,
    room: "lobby",
    readTo: 10,
    most,
    api,
    connection,
    clock,
    onChange() {},
    onTyping: (text) => typing.push(text),
    onPosts: (room, messages) => posts.push([room.slug, messages.length]),
    onList: () => lists.push(1),
  });
  following.rooms.reset(server.rooms);
  const follow = () => sent.splice(0).filter(({ type }) => type === "follow").map(({ room, after }) => `${room} ${after}`);
  return { following, clock, server, connection, sent, posts, typing, lists, follow };
}

test("the other rooms are followed from their cursors, and again after a reconnect", () => {
  const { following, follow } = setUp();
  following.connected("live");
  assert.deepEqual(follow(), ["attic 10", "den 10"]);
  following.receive({ type: "changes", room: "den", revision: 12, messages: [message(12)] });
  following.connected("live");
  assert.deepEqual(follow(), []);
  following.connected("reconnecting");
  following.connected("live");
  assert.deepEqual(follow(), ["den 12", "attic 10"]);
});

test("after an outage the list is read again: rooms may have been read on another device", async () => {
  const { following, clock, server, sent, lists } = setUp();
  following.connected("live");
  await clock.pass(5000);
  assert.equal(server.asked, 0);
  following.receive({ type: "changes", room: "lobby", revision: 12, messages: [message(12)] });
  following.connected("reconnecting");
  server.rooms = [listed("lobby", { revision: 12, read_sequence: 12 }), listed("den")];
  following.connected("live");
  await clock.pass(5000);
  assert.deepEqual([server.asked, lists.length], [1, 1]);
  assert.deepEqual([following.readTo, following.rooms.get("lobby").unread], [12, 0]);
  sent.length = 0;
  following.see(12);
  assert.deepEqual(sent, [], "the server knows this position");
});

test("the number of followed rooms is limited", () => {
  const { following, follow } = setUp({ most: 2 });
  following.connected("live");
  assert.equal(follow().length, 1);
});

test("posts in other rooms are reported once, those in the open room are not", () => {
  const { following, posts } = setUp();
  for (const room of ["den", "den", "lobby"]) following.receive({ type: "changes", room, revision: 11, messages: [message(11)] });
  assert.deepEqual(posts, [["den", 1]]);
});

test("the list is read again after changes of the rooms, and new rooms are followed", async () => {
  const { following, clock, server, follow } = setUp();
  following.connected("live");
  follow();
  server.rooms = [listed("lobby"), listed("den"), listed("cellar")];
  following.receive({ type: "rooms" });
  following.receive({ type: "rooms" });
  await clock.pass(2000);
  assert.equal(server.asked, 1);
  assert.deepEqual(follow(), ["cellar 10"]);
});

test("without websockets the list is polled", async () => {
  const { following, clock, connection, server } = setUp();
  connection.state = { name: "polling" };
  following.connected("polling");
  await clock.pass(40_000);
  assert.equal(server.asked, 2);
});

test("typing is shown until the message arrives or the connection is lost", () => {
  const { following, typing } = setUp();
  following.receive({ type: "typing", room: "lobby", people: [BOB] });
  following.receive({ type: "changes", room: "lobby", revision: 11, messages: [message(11)] });
  following.receive({ type: "typing", room: "lobby", people: [BOB] });
  following.connected("reconnecting");
  assert.deepEqual(typing, ["Bob is typing…", "", "Bob is typing…", ""]);
});

test("people without a direct conversation are found", async () => {
  const { following, server } = setUp();
  following.rooms.reset([...server.rooms, listed("dm-1", { kind: "direct", people: [BOB] })]);
  assert.deepEqual((await following.findPeople("")).map(({ id }) => id), ["carol"]);
});

test("an arranged room is shown at once; a failure says why, and the list is read again", async () => {
  const { following, clock, server } = setUp({ arrange: async (slug) => {
    if (slug === "attic") throw new ApiError({ status: 404, reason: "not_found", message: "Gone." });
    return {};
  } });
  const arranging = following.arrange("den", { is_starred: true });
  assert.deepEqual(following.rooms.sections.starred.map(({ slug }) => slug), ["den"]);
  assert.equal(await arranging, "");
  assert.equal(await following.arrange("attic", { is_hidden: true }), "Gone.");
  await clock.pass(5000);
  assert.equal(server.asked, 1);
  assert.deepEqual(following.rooms.sections.rooms.map(({ slug }) => slug), ["attic", "den", "lobby"]);
});

test("when a pause of notifications ends, the list is read again", async () => {
  const { following, clock, server } = setUp();
  const paused_until = new Date(clock.now() + 60_000).toISOString();
  following.rooms.reset([listed("lobby"), listed("den", { notify: "none", chosen: "all", paused_until })]);
  following.connected("live");
  await clock.pass(59_000);
  assert.equal(server.asked, 0);
  assert.equal(following.rooms.get("den").notify, "none");
  await clock.pass(4000);
  assert.equal(server.asked, 1);
  assert.equal(following.rooms.get("den").notify, "all");
});

test("a message is marked as unread: its room counts at once, and positions name the mark", async () => {
  const marked = listed("lobby", { unread: 3, read_sequence: 7, unread_from: 8, unread_marks: 1 });
  const { following, clock, server, sent } = setUp({
    mark: async (how, { sequence }) => {
      assert.equal(how, "unread");
      server.rooms = [marked, listed("den"), listed("attic")];
      return { room: "renamed", sequence: sequence - 1, unread_marks: 1 };
    },
  });
  assert.equal(await following.markUnread(8), "");
  await clock.pass(0);
  assert.deepEqual([server.asked, following.readTo, following.rooms.get("lobby").unread, following.rooms.unread], [1, 7, 3, 3]);
  sent.length = 0;
  following.see(10);
  following.receive({ type: "read", room: "lobby", sequence: 10, unread_marks: 0 });
  following.receive({ type: "read", room: "lobby", sequence: 7, unread_marks: 1 });
  following.leave();
  assert.deepEqual([sent, following.readTo, following.rooms.get("lobby").unread], [[], 7, 3]);
  following.receive({ type: "read", room: "lobby", sequence: 10, unread_marks: 1 });
  following.see(12);
  assert.deepEqual(sent, [{ type: "read", room: "lobby", sequence: 12, unread_marks: 1 }]);
  assert.equal(following.rooms.get("lobby").unread, 0);
});

test("a mark that the server refuses changes nothing", async () => {
  const { following, sent } = setUp({ mark: async () => Promise.reject(new ApiError({ status: 404, message: "gone" })) });
  assert.equal(await following.markUnread(99), "gone");
  following.see(12);
  assert.equal(sent.length, 1);
});

test("a page that was offline during a mark finds it in the list", async () => {
  const { following, clock, server, sent } = setUp();
  following.connected("live");
  following.connected("reconnecting");
  server.rooms = [listed("lobby", { unread: 6, read_sequence: 4, unread_from: 5, unread_marks: 2 })];
  following.connected("live");
  await clock.pass(5000);
  sent.length = 0;
  following.see(12);
  assert.deepEqual([following.readTo, following.rooms.get("lobby").unread, sent], [4, 6, []]);
});
