import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../../static/state/live/connection.js";
import { FakeApi, FakeClock, FakeSocket, message, messages, refuse, settle } from "./fakes.js";

/** A connection on a clock that stands still; `random` is always a half. */
function setUp() {
  const clock = new FakeClock();
  const api = new FakeApi();
  const seen = { cursor: 10, sockets: [], states: [], frames: [], unreached: [], isOnline: true, isVisible: true };
  const connection = new Connection({
    room: "lobby",
    api,
    openSocket: (cursor) => {
      seen.sockets.push(new FakeSocket(cursor));
      return seen.sockets.at(-1);
    },
    clock,
    random: () => 0.5,
    browser: { isOnline: () => seen.isOnline, isVisible: () => seen.isVisible },
    cursor: () => seen.cursor,
    onFrame: (frame) => {
      seen.frames.push(frame);
      if (frame.type === "changes") seen.cursor = Math.max(seen.cursor, frame.revision);
    },
    onUnreached: (unreached) => seen.unreached.push(unreached),
    onState: (state) => seen.states.push(state.missed === undefined ? state.name : `${state.name} ${state.missed}`),
  });
  connection.start();
  return { clock, api, seen, connection, last: () => seen.sockets.at(-1) };
}

const nothingNew = (after) => ({ revision: after, messages: [], more: false });

test("it connects with its cursor, catches up, and is live", () => {
  const { seen, last, connection } = setUp();
  assert.equal(connection.canSend, false);
  assert.equal(last().cursor, 10);
  last().welcome(messages(11, 47));
  assert.deepEqual(seen.states, ["connecting", "catching_up 37", "live 37"]);
  assert.equal(connection.canSend, true);
});

test("an answer that names people who are not reached is passed on, also if its message came first", async () => {
  const { connection, last, seen } = setUp();
  const unreached = [{ name: "bob", message: "Bob is not in this room." }];
  last().welcome();
  const posting = connection.post({ client_id: "c1", text: "@bob" });
  last().say({ type: "changes", room: "lobby", revision: 11, messages: [message(11, { client_id: "c1" })] });
  last().say({ type: "stored", room: "lobby", client_id: "c1", id: "m11", sequence: 11, revision: 11, unreached });
  await posting;
  const editing = connection.change({ type: "edit", id: "m11", text: "@bob" });
  last().say({ type: "stored", room: "lobby", client_id: "change-1", id: "m11", sequence: 11, revision: 12 });
  await editing;
  assert.deepEqual(seen.unreached, [unreached]);
});

test("a lost connection resumes from its cursor", async () => {
  const { clock, seen, last } = setUp();
  last().welcome();
  last().say({ type: "changes", room: "lobby", revision: 11, messages: [message(11)] });
  last().end();
  assert.equal(seen.states.at(-1), "reconnecting");
  await clock.pass(500);
  assert.equal(seen.sockets.length, 2);
  assert.equal(last().cursor, 11);
  last().welcome([message(12)]);
  assert.deepEqual(seen.states.slice(-3), ["reconnecting", "catching_up 1", "live 1"]);
});

test("the pause between retries grows to half a minute, and is short again after a success", async () => {
  const { clock, seen, last } = setUp();
  last().welcome();
  last().end();
  const gaps = [];
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const count = seen.sockets.length;
    const from = clock.now();
    while (seen.sockets.length === count && clock.now() - from < 60_000) await clock.pass(25);
    gaps.push(clock.now() - from);
    last().end();
    await settle();
  }
  assert.deepEqual(gaps.slice(0, 4), [375, 750, 1500, 3000]);
  assert.equal(gaps.at(-1), 22_500);
  await clock.pass(22_500);
  last().welcome();
  last().end();
  const count = seen.sockets.length;
  await clock.pass(400);
  assert.equal(seen.sockets.length, count + 1);
});

test("after a restart of the server, it waits a random time", async () => {
  const { clock, seen, last } = setUp();
  last().welcome();
  last().end(1012);
  await clock.pass(700);
  assert.equal(seen.sockets.length, 1);
  await clock.pass(100);
  assert.equal(seen.sockets.length, 2);
});

test("if websockets are blocked, it polls every three seconds, and keeps trying websockets", async () => {
  const { clock, api, seen, last, connection } = setUp();
  api.changes = nothingNew;
  last().end();
  await clock.pass(1000);
  last().end();
  await clock.pass(100);
  assert.equal(seen.states.at(-1), "polling");
  assert.equal(connection.canSend, true);

  api.changes = (after) => (after < 11 ? { revision: 11, messages: [message(11)], more: false } : nothingNew(after));
  await clock.pass(3000);
  assert.deepEqual(seen.frames.at(-1), { type: "changes", revision: 11, messages: [message(11)] });

  api.stored = ({ client_id }) => ({ client_id, id: "x", sequence: 12, revision: 12 });
  assert.deepEqual(await connection.post({ client_id: "c", text: "hi" }), { type: "stored", client_id: "c", id: "x", sequence: 12, revision: 12 });
  api.stored = ({ client_id }) => ({ client_id, id: "h", held: true });
  assert.deepEqual(await connection.post({ client_id: "d", text: "hi" }), { type: "held", client_id: "d", id: "h", held: true });

  await clock.pass(45_000);
  assert.equal(seen.sockets.length, 3);
  last().welcome();
  assert.equal(seen.states.at(-1), "live 0");
  const asked = api.asked.length;
  await clock.pass(60_000);
  assert.equal(api.asked.length, asked, "no more asking");
});

test("polling reads all pages of changes", async () => {
  const { clock, api, seen, last } = setUp();
  api.changes = (after) => ({ revision: after + 5, messages: messages(after + 1, after + 5), more: after < 20 });
  last().end();
  await clock.pass(0);
  assert.equal(seen.cursor, 25);
});

test("a proxy that drops websockets: opened, but no frame arrives", async () => {
  const { clock, api, seen, last } = setUp();
  api.changes = nothingNew;
  last().open();
  await clock.pass(6000);
  assert.equal(last().isClosed ?? seen.sockets[0].isClosed, true);
  await clock.pass(1000);
  last().open();
  await clock.pass(6500);
  assert.equal(seen.states.at(-1), "polling");
});

test("an overloaded server is not asked before its retry time", async () => {
  const { clock, api, seen, last } = setUp();
  api.changes = () => refuse(503, { retryAfterMs: 7000 });
  last().end();
  await clock.pass(6900);
  assert.equal(seen.sockets.length, 1);
  await clock.pass(200);
  assert.equal(seen.sockets.length, 2);
});

test("the session ended: it reports that, and stops", async () => {
  for (const end of [
    async ({ last }) => {
      last().welcome();
      last().end(4401);
    },
    async ({ api, last, clock }) => {
      api.changes = () => refuse(401);
      last().end();
      await clock.pass(0);
    },
  ]) {
    const all = setUp();
    await end(all);
    assert.equal(all.seen.states.at(-1), "signed_out");
    assert.equal(all.connection.canSend, false);
    all.connection.check();
    await all.clock.pass(600_000);
    assert.equal(all.seen.sockets.length, 1);
  }
});

test("a room that the person may not enter", async () => {
  const { clock, api, seen, last } = setUp();
  api.changes = () => refuse(404);
  last().end();
  await clock.pass(60_000);
  assert.deepEqual([seen.states.at(-1), seen.sockets.length], ["closed", 1]);
});

test("it reports offline, and tries at once when online again", async () => {
  const { clock, seen, last, connection } = setUp();
  last().welcome();
  seen.isOnline = false;
  connection.check(); // asks: unreachable
  await clock.pass(0);
  assert.equal(seen.states.at(-1), "offline");
  await clock.pass(120_000);
  for (const socket of seen.sockets) socket.end();
  await clock.pass(0);
  const count = seen.sockets.length;
  seen.isOnline = true;
  connection.check();
  assert.equal(seen.sockets.length, count + 1);
});

test("a working connection is kept although the browser reports offline", async () => {
  const { clock, api, seen, last, connection } = setUp();
  last().welcome();
  api.changes = nothingNew;
  connection.check();
  await clock.pass(5000);
  assert.equal(seen.states.at(-1), "live 0");
});

test("waking from sleep: a dead socket is detected and replaced", async () => {
  const { clock, api, seen, last } = setUp();
  last().welcome();
  api.changes = (after) => (after < 11 ? { revision: 11, messages: [message(11)], more: false } : nothingNew(after));
  clock.sleep(3_600_000);
  await clock.pass(5000);
  await clock.pass(3000);
  assert.equal(seen.cursor, 11, "what was missed is there at once");
  assert.ok(seen.sockets[0].isClosed);
  assert.equal(seen.sockets.length, 2);
});

test("waking from sleep: a working socket is kept", async () => {
  const { clock, api, seen, last } = setUp();
  last().welcome();
  api.changes = nothingNew;
  clock.sleep(3_600_000);
  await clock.pass(10_000);
  assert.equal(api.asked.length, 1);
  assert.equal(seen.sockets.length, 1);
});

test("timers that run once a minute in a hidden tab do not count as sleep", async () => {
  const { clock, api, seen, last } = setUp();
  last().welcome();
  seen.isVisible = false;
  api.changes = nothingNew;
  for (let minute = 0; minute < 5; minute += 1) {
    clock.sleep(55_000);
    await clock.pass(5000);
  }
  assert.equal(api.asked.length, 0);
});

test("a long silence causes a check, now and then", async () => {
  const { clock, api, last } = setUp();
  last().welcome();
  api.changes = nothingNew;
  await clock.pass(300_000);
  assert.ok(api.asked.length >= 2 && api.asked.length <= 3, `${api.asked.length}`);
});

test("a refusal as too fast does not end the connection", async () => {
  const { clock, api, seen, last, connection } = setUp();
  last().welcome();
  api.changes = () => refuse(429);
  connection.check();
  await clock.pass(1000);
  assert.equal(seen.states.at(-1), "live 0");
});

test("a post is answered by its own frame", async () => {
  const { last, connection } = setUp();
  last().welcome();
  const first = connection.post({ client_id: "a", text: "one" });
  const second = connection.post({ client_id: "b", text: "two" });
  assert.deepEqual(last().sent[0], { type: "post", room: "lobby", client_id: "a", text: "one" });
  last().say({ type: "refused", room: "lobby", client_id: "b", reason: "too_fast", message: "Slow.", retry_after: 1.5 });
  last().say({ type: "stored", room: "lobby", client_id: "a", id: "x", sequence: 11, revision: 11 });
  assert.equal((await first).sequence, 11);
  assert.equal((await second).retryAfterMs, 1500);
  const third = connection.post({ client_id: "c", text: "three" });
  last().say({ type: "held", room: "lobby", client_id: "c", id: "h", message: "A moderator looks." });
  assert.equal((await third).type, "held");
});

test("a change goes over the socket or over HTTP, and is answered by its own frame", async () => {
  const { clock, api, last, connection } = setUp();
  last().welcome();
  const first = connection.change({ type: "delete", id: "x" });
  const second = connection.change({ type: "edit", id: "y", text: "new", revision: 3 });
  const [one, two] = last().sent;
  assert.notEqual(one.client_id, two.client_id);
  assert.deepEqual(two, { type: "edit", id: "y", text: "new", revision: 3, room: "lobby", client_id: two.client_id });
  last().say({ type: "refused", room: "lobby", client_id: two.client_id, reason: "conflict", message: "Changed." });
  last().say({ type: "stored", room: "lobby", client_id: one.client_id, id: "x", sequence: 1, revision: 11 });
  assert.equal((await first).revision, 11);
  assert.equal((await second).reason, "conflict");

  api.changes = nothingNew;
  last().end();
  await clock.pass(1000);
  last().end();
  await clock.pass(100);
  api.changed = ({ id }) => ({ id, sequence: 1, revision: 12 });
  assert.deepEqual(await connection.change({ type: "delete", id: "x" }), { type: "stored", id: "x", sequence: 1, revision: 12 });
});

test("a post fails if its connection ends or after ten seconds; a dead socket is closed", async () => {
  const { clock, seen, last, connection } = setUp();
  last().welcome();
  const lost = connection.post({ client_id: "a", text: "one" });
  last().end();
  await assert.rejects(lost, { reason: "unreachable" });
  await clock.pass(1000);
  last().welcome();
  const waiting = assert.rejects(connection.post({ client_id: "b", text: "two" }), { reason: "unreachable" });
  await clock.pass(10_000);
  await waiting;
  assert.ok(seen.sockets[1].isClosed);
});

test("polling also ends with the session", async () => {
  const { clock, api, seen, last, connection } = setUp();
  api.changes = nothingNew;
  last().end();
  await clock.pass(1000);
  last().end();
  await clock.pass(100);
  api.stored = () => refuse(401);
  await assert.rejects(connection.post({ client_id: "a", text: "one" }), { reason: "signed_out" });
  assert.equal(seen.states.at(-1), "signed_out");
});

test("while polling, it reports that the server is unreachable", async () => {
  const { clock, api, seen, last } = setUp();
  api.changes = nothingNew;
  last().end();
  await clock.pass(1000);
  last().end();
  await clock.pass(100);
  api.changes = () => refuse(0);
  await clock.pass(3100);
  assert.equal(seen.states.at(-1), "reconnecting");
  api.changes = nothingNew;
  await clock.pass(3100);
  assert.equal(seen.states.at(-1), "polling");
});

test("a room restored from a backup: the page says that it must be reloaded", async () => {
  const over = { http: setUp(), socket: setUp() };
  over.socket.last().open();
  over.socket.last().say({ type: "refused", room: "lobby", reason: "unknown_cursor", message: "" });
  over.http.api.changes = () => refuse(400, { reason: "unknown_cursor" });
  over.http.last().end();
  await over.http.clock.pass(0);
  for (const { seen, clock } of Object.values(over)) {
    await clock.pass(60_000);
    assert.deepEqual([seen.states.at(-1), seen.sockets.length], ["stale", 1]);
  }
});

test("access lost: it shows the reason, and does not reconnect", async () => {
  const { seen, last, connection, clock } = setUp();
  last().welcome();
  last().end(4403, "You are banned until it is lifted: spam");
  assert.equal(seen.states.at(-1), "closed");
  assert.equal(connection.state.message, "You are banned until it is lifted: spam");
  await clock.pass(120_000);
  assert.equal(seen.sockets.length, 1);
});

test("frames of other rooms do not change the state of this one; frames are sent while it is live", () => {
  const { connection, seen, last } = setUp();
  assert.equal(connection.send({ type: "typing", room: "lobby" }), false);
  last().welcome();
  assert.equal(connection.send({ type: "typing", room: "lobby" }), true);
  assert.deepEqual(last().sent.at(-1), { type: "typing", room: "lobby" });
  last().say({ type: "refused", room: "den", reason: "unknown_cursor", message: "" });
  last().say({ type: "closed", room: "den", reason: "left", message: "" });
  assert.equal(seen.states.at(-1), "live 0");
  last().say({ type: "closed", room: "lobby", reason: "removed", message: "You are no longer a member." });
  assert.equal(seen.states.at(-1), "closed");
  assert.equal(connection.state.message, "You are no longer a member.");
});
