import assert from "node:assert/strict";
import { test } from "node:test";
import { News, Pages } from "../../static/state/messages/reading.js";
import { Timeline } from "../../static/state/messages/timeline.js";
import { ALICE, message, messages, settle, unreachable } from "./fakes.js";

/** Messages 50 to 60 of a hundred; what is asked for is answered by the test. */
function setUp() {
  const timeline = new Timeline({ user: ALICE });
  timeline.reset({ messages: messages(50, 60), revision: 100, hasOlder: true, hasNewer: true });
  const [asked, states] = [[], []];
  const api = {
    readPage: (where) => new Promise((resolve, reject) => asked.push({ where, resolve, reject })),
  };
  const pages = new Pages({ api, timeline, onState: (end, state) => states.push(`${end} ${state}`) });
  return { timeline, asked, states, pages };
}

function fail({ reject }) {
  try {
    unreachable();
  } catch (error) {
    reject(error);
  }
}

const ends = ({ messages: [first], newestSequence }) => [first.sequence, newestSequence];

test("older and newer messages are added before and after the loaded ones", async () => {
  const { timeline, asked, states, pages } = setUp();
  pages.loadOlder();
  asked[0].resolve({ messages: messages(40, 49), more: true });
  await settle();
  pages.loadNewer();
  asked[1].resolve({ messages: messages(61, 100), more: false });
  await settle();
  assert.deepEqual(asked.map(({ where }) => where), [{ before: 50 }, { since: 61 }]);
  assert.deepEqual([...ends(timeline), timeline.hasOlder, timeline.isDetached], [40, 100, true, false]);
  assert.deepEqual(states, ["older loading", "older loaded", "newer loading", "newer loaded"]);
});

test("one page is requested at a time, and none at an end", async () => {
  const { timeline, asked, pages } = setUp();
  pages.loadOlder();
  pages.loadOlder();
  pages.loadNewer();
  assert.equal(asked.length, 1);
  asked[0].resolve({ messages: messages(1, 49), more: false });
  await settle();
  await pages.loadOlder();
  assert.equal(asked.length, 1);
  assert.equal(timeline.hasOlder, false);
});

test("a failed page is reported, and requested again", async () => {
  const { timeline, asked, states, pages } = setUp();
  pages.loadOlder();
  fail(asked[0]);
  await settle();
  assert.deepEqual([states.at(-1), timeline.oldestSequence, timeline.hasOlder], ["older failed", 50, true]);
  pages.loadOlder();
  asked[1].resolve({ messages: [], more: false });
  await settle();
  assert.deepEqual([states.at(-1), timeline.hasOlder], ["older loaded", false]);
});

test("another part of the room replaces the loaded one, after a pending page", async () => {
  const { timeline, asked, pages } = setUp();
  pages.loadOlder();
  const found = pages.loadAround(20);
  assert.equal(asked.length, 1, "a page of the old part must not come into the new one");
  asked[0].resolve({ messages: messages(40, 49), more: true });
  await settle();
  asked[1].resolve({ messages: messages(15, 25), revision: 100, more: true, newer: true });
  assert.equal(await found, true);
  assert.deepEqual([asked[1].where, ...ends(timeline), timeline.isDetached], [{ around: 20 }, 15, 25, true]);
  const newest = pages.loadNewest();
  await settle();
  fail(asked[2]);
  assert.equal(await newest, false);
  assert.deepEqual(ends(timeline), [15, 25]);
});

test("at the end 500 messages are kept, above 2000", () => {
  const timeline = new Timeline({ user: ALICE });
  timeline.reset({ messages: messages(1, 2100), revision: 2100, hasOlder: false });
  const pages = new Pages({ timeline });
  pages.trim(false);
  assert.deepEqual(ends(timeline), [1, 2000]);
  pages.trim(true);
  assert.deepEqual(ends(timeline), [1501, 2000]);
});

function setUpNews(first, last, details = {}) {
  const timeline = new Timeline({ user: ALICE });
  timeline.reset({ messages: messages(first, last), revision: last, hasOlder: true, ...details });
  const news = new News({ timeline });
  const post = (message, how = {}) => {
    const arrived = timeline.applyChanges({ revision: message.revision, messages: [message] });
    news.take(arrived, { isMissed: false, isAway: false, isAtEnd: true, ...how });
  };
  return { timeline, news, post };
}

test("the line New is before the first message of another person since the last visit", () => {
  const { news, timeline } = setUpNews(10, 14);
  timeline.applyChanges({ revision: 15, messages: [message(12, { author: ALICE, revision: 15 })] });
  news.start(11);
  assert.equal(news.mark, 13);
});

test("its place is found when it is loaded", () => {
  const { news, timeline } = setUpNews(10, 14);
  news.start(4);
  assert.equal(news.mark, null);
  timeline.applyPage({ messages: messages(1, 9), hasOlder: false });
  news.findMark();
  assert.equal(news.mark, 5);
});

test("a first visit, or one without new messages, has no line", () => {
  for (const readTo of [0, 14]) {
    const { news } = setUpNews(10, 14);
    news.start(readTo);
    assert.equal(news.mark, null);
  }
});

test("the line is before the message that was marked as unread: the first one, and one's own, too", () => {
  const first = setUpNews(2, 3);
  first.timeline.applyPage({ messages: messages(1, 1), hasOlder: false });
  first.news.start(0, 1);
  assert.equal(first.news.mark, 1);
  const own = setUpNews(1, 4);
  own.timeline.applyChanges({ revision: 5, messages: [message(2, { author: ALICE, revision: 5 })] });
  own.news.start(1, 2);
  assert.equal(own.news.mark, 2);
});

test("messages that are read on arrival are not new", () => {
  const { news, post } = setUpNews(1, 3);
  post(message(4));
  assert.deepEqual([news.mark, news.unseen], [null, 0]);
});

test("the line is before the first message that arrived below or out of sight, and stays there", () => {
  const { news, post } = setUpNews(1, 3);
  post(message(4, { author: ALICE }), { isAtEnd: false });
  assert.deepEqual([news.mark, news.unseen], [null, 0], "one's own are not counted");
  post(message(5), { isAtEnd: false });
  post(message(6), { isAtEnd: false });
  assert.deepEqual([news.mark, news.unseen], [5, 2]);
  news.unseen = 0;
  post(message(7), { isAway: true });
  post(message(8), { isAway: true });
  assert.equal(news.mark, 7);
  news.look();
  post(message(9), { isAway: true });
  assert.equal(news.mark, 9);
  news.forget();
  assert.equal(news.mark, null);
});

test("missed messages are below an existing line, or create one", () => {
  const { news, post } = setUpNews(1, 3);
  news.start(1);
  post(message(4), { isMissed: true });
  assert.equal(news.mark, 2);
  const other = setUpNews(1, 3);
  other.post(message(4), { isMissed: true });
  assert.equal(other.news.mark, 4);
});
