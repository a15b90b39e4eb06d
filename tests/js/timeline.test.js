import assert from "node:assert/strict";
import { test } from "node:test";
import { Timeline } from "../../static/state/messages/timeline.js";
import { ALICE, message, messages } from "./fakes.js";

function timelineOf(first = [], { hasOlder = false } = {}) {
  const timeline = new Timeline({ user: ALICE });
  timeline.reset({ messages: first, revision: first.at(-1)?.revision ?? 0, hasOlder });
  return timeline;
}

const sequences = (timeline) => timeline.messages.map(({ sequence }) => sequence);

test("messages are ordered by sequence, whatever their order of arrival", () => {
  const timeline = timelineOf();
  timeline.applyChanges({ revision: 5, messages: [message(4), message(2), message(5), message(1), message(3)] });
  assert.deepEqual(sequences(timeline), [1, 2, 3, 4, 5]);
  assert.equal(timeline.cursor, 5);
});

test("the same change twice changes nothing, and is not new twice", () => {
  const timeline = timelineOf(messages(1, 3));
  assert.equal(timeline.applyChanges({ revision: 4, messages: [message(4)] }).length, 1);
  assert.equal(timeline.applyChanges({ revision: 4, messages: [message(3), message(4)] }).length, 0);
  assert.deepEqual(sequences(timeline), [1, 2, 3, 4]);
});

test("the latest revision of a message wins, even if it arrives first", () => {
  const timeline = timelineOf(messages(1, 2));
  const late = message(1, { revision: 9, html: "<p>late</p>" });
  timeline.applyChanges({ revision: 9, messages: [late] });
  timeline.applyChanges({ revision: 5, messages: [message(1, { revision: 5, html: "<p>early</p>" })] });
  assert.equal(timeline.messages[0], late);
  assert.equal(timeline.cursor, 9, "the cursor never goes back");
});

test("a new message that was edited arrives after later ones, and is still new", () => {
  const timeline = timelineOf(messages(1, 2));
  const arrived = timeline.applyChanges({ revision: 5, messages: [message(4), message(3, { revision: 5 })] });
  assert.deepEqual(arrived.map(({ sequence }) => sequence), [4, 3]);
  assert.deepEqual(sequences(timeline), [1, 2, 3, 4]);
});

test("an edit is not a new message", () => {
  const timeline = timelineOf(messages(1, 2));
  assert.deepEqual(timeline.applyChanges({ revision: 3, messages: [message(1, { revision: 3 })] }), []);
});

test("a stored draft is in its place until its change brings the rendered text", () => {
  const timeline = timelineOf(messages(1, 2));
  timeline.applyStored({ id: "x", client_id: "c", sequence: 4, revision: 4 }, { text: "hi", sent_at: "2026-11-21T12:00:00Z" });
  assert.equal(timeline.cursor, 2, "being told of one's own message says nothing about those before it");
  assert.ok(timeline.hasClientId("c"));
  timeline.applyChanges({ revision: 4, messages: [message(3), message(4, { author: ALICE, client_id: "c" })] });
  assert.deepEqual(sequences(timeline), [1, 2, 3, 4]);
  assert.equal(timeline.messages[3].html, "<p>4</p>");
});

test("`stored` after the change adds nothing", () => {
  const timeline = timelineOf(messages(1, 2));
  const change = message(3, { author: ALICE, client_id: "c" });
  timeline.applyChanges({ revision: 3, messages: [change] });
  timeline.applyStored({ id: "id3", client_id: "c", sequence: 3, revision: 3 }, { text: "hi" });
  assert.equal(timeline.messages[2], change);
});

test("the answer to a draft stored long ago does not put it among today's messages", () => {
  const timeline = timelineOf(messages(50, 60), { hasOlder: true });
  timeline.applyStored({ id: "x", client_id: "c", sequence: 7, revision: 7 }, { text: "hi" });
  assert.equal(timeline.oldestSequence, 50);
});

test("a client id of somebody else is not ours", () => {
  const timeline = timelineOf([message(1, { client_id: "c" })]);
  assert.equal(timeline.hasClientId("c"), false);
});

test("a change of a message that is not loaded leaves no gap", () => {
  const timeline = timelineOf(messages(50, 60), { hasOlder: true });
  timeline.applyChanges({ revision: 61, messages: [message(3, { revision: 61 })] });
  assert.equal(timeline.oldestSequence, 50);
  assert.equal(timeline.cursor, 61);
});

test("history comes before, and knows whether there is more", () => {
  const timeline = timelineOf(messages(50, 60), { hasOlder: true });
  timeline.expectPage();
  timeline.applyPage({ messages: messages(40, 49), hasOlder: true });
  assert.deepEqual([timeline.oldestSequence, timeline.hasOlder, timeline.messages.length], [40, true, 21]);
});

test("an edit that overtakes the page of history that it belongs to is not lost", () => {
  const timeline = timelineOf(messages(50, 60), { hasOlder: true });
  timeline.expectPage();
  timeline.applyChanges({ revision: 61, messages: [message(45, { revision: 61, html: "edited" })] });
  timeline.applyPage({ messages: messages(40, 49), hasOlder: false });
  assert.equal(timeline.messages[5].html, "edited");
});

test("dropped oldest messages become history again", () => {
  const timeline = timelineOf(messages(1, 100));
  timeline.trimOldest(40);
  assert.deepEqual([timeline.oldestSequence, timeline.hasOlder, timeline.messages.length], [61, true, 40]);
  timeline.applyPage({ messages: messages(51, 60), hasOlder: true });
  assert.equal(timeline.oldestSequence, 51);
});

test("nothing is dropped while a page of history is being loaded", () => {
  const timeline = timelineOf(messages(50, 99), { hasOlder: true });
  timeline.expectPage();
  timeline.trimOldest(10);
  timeline.applyPage({ messages: messages(40, 49), hasOlder: true });
  assert.deepEqual(sequences(timeline), messages(40, 99).map(({ sequence }) => sequence));
});

test("far above, the newest are dropped: new messages are counted, not kept, and one page restores the end", () => {
  const timeline = timelineOf(messages(1, 100));
  timeline.trimNewest(60);
  assert.ok(timeline.isDetached);
  assert.equal(timeline.applyChanges({ revision: 101, messages: [message(101)] }).length, 1);
  assert.equal(timeline.newestSequence, 60);
  assert.equal(timeline.cursor, 101);
  timeline.applyStored({ id: "x", client_id: "c", sequence: 102, revision: 102 }, { text: "hi" });
  assert.equal(timeline.newestSequence, 60);

  timeline.expectPage();
  timeline.applyChanges({ revision: 103, messages: [message(102), message(103)] }); // overtakes the page
  timeline.reset({ messages: messages(52, 101), revision: 101, hasOlder: true });
  assert.deepEqual(sequences(timeline), messages(52, 103).map(({ sequence }) => sequence));
  assert.deepEqual([timeline.isDetached, timeline.cursor], [false, 103]);
});

test("an edit is also applied far above", () => {
  const timeline = timelineOf(messages(1, 100));
  timeline.trimNewest(60);
  timeline.applyChanges({ revision: 101, messages: [message(10, { revision: 101, html: "edited" })] });
  assert.equal(timeline.messages[9].html, "edited");
});

test("a page that failed is forgotten", () => {
  const timeline = timelineOf(messages(50, 60), { hasOlder: true });
  timeline.expectPage();
  timeline.forgetPage();
  timeline.trimOldest(5);
  assert.equal(timeline.messages.length, 5);
});

test("whatever the frames, their order and their overlaps: all readers end with the same", () => {
  const random = seeded(7);
  for (let round = 0; round < 200; round += 1) {
    const log = [];
    const latest = new Map();
    for (let revision = 1; revision <= 40; revision += 1) {
      const known = [...latest.keys()];
      const sequence = known.length && random() < 0.3 ? known[Math.floor(random() * known.length)] : revision;
      const change = message(sequence, { revision, html: `${sequence} at ${revision}` });
      latest.set(sequence, change);
      log.push(change);
    }
    const timeline = timelineOf();
    while (timeline.cursor < 40) {
      // A frame from anywhere at or before the cursor to anywhere beyond it, now and then an old one once more.
      const from = Math.floor(random() * (timeline.cursor + 1));
      const to = Math.min(40, from + 1 + Math.floor(random() * 12));
      const changed = new Map(log.slice(from, to).map((change) => [change.sequence, change]));
      timeline.applyChanges({ revision: to, messages: [...changed.values()] });
    }
    const expected = [...latest.values()].sort((a, b) => a.sequence - b.sequence);
    assert.deepEqual(timeline.messages, expected);
  }
});

function seeded(state) {
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

test("a page from the middle of the room is detached until its newer pages are there", () => {
  const timeline = timelineOf();
  timeline.reset({ messages: messages(10, 12), revision: 20, hasOlder: true, hasNewer: true });
  timeline.applyChanges({ revision: 21, messages: [message(21), message(11, { revision: 21 })] });
  assert.deepEqual(sequences(timeline), [10, 11, 12], "what is beyond is not kept");
  assert.equal(timeline.find(11).revision, 21, "what is there is kept in step");
  timeline.expectPage();
  timeline.applyPage({ messages: messages(13, 15), hasNewer: true });
  assert.ok(timeline.isDetached);
  timeline.expectPage();
  timeline.applyChanges({ revision: 22, messages: [message(22)] });
  timeline.applyPage({ messages: messages(16, 21), hasNewer: false });
  assert.ok(!timeline.isDetached);
  assert.deepEqual(sequences(timeline), [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22], "also what overtook the page");
});

test("a message is found by its sequence while it is loaded", () => {
  const timeline = timelineOf(messages(1, 3));
  assert.equal(timeline.find(2).id, "id2");
  assert.equal(timeline.find(9), undefined);
});
