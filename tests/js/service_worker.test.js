import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const ORIGIN = "https://room.test";
const SOURCE = readFileSync(new URL("../../static/pages/service_worker.js", import.meta.url), "utf8");

/** The worker between a network and its caches; `go` answers with what a navigation shows. */
function start() {
  const listeners = {};
  const kept = new Map([["pages-1", new Map()], ["files-2", new Map()]]);
  const network = { isAway: false, answer: (path) => ({ ok: true, status: 200, redirected: false, body: `page ${path}`, clone() { return this; } }) };
  const pathOf = (request) => new URL(request.url ?? request, ORIGIN).pathname;
  const caches = {
    open: async (name) => ({
      put: async (request, response) => kept.get(name).set(pathOf(request), response),
      keys: async () => [...kept.get(name).keys()],
      delete: async (path) => kept.get(name).delete(path),
      addAll: async () => {},
    }),
    delete: async (name) => kept.get(name).clear(),
    keys: async () => [...kept.keys()],
    match: async (request, { cacheName = "files-2" } = {}) => kept.get(cacheName).get(pathOf(request)),
  };
  const fetch = async (request) => {
    if (network.isAway) throw new TypeError("away");
    return network.answer(pathOf(request));
  };
  const open = new Map();
  const show = (title, { tag, data }) => open.set(tag, { title, tag, data, close: () => open.delete(tag) });
  const windows = [];
  const self = {
    addEventListener: (kind, listener) => (listeners[kind] = listener),
    location: { origin: ORIGIN },
    registration: { showNotification: async (...given) => show(...given), getNotifications: async () => [...open.values()] },
    clients: { matchAll: async () => windows, openWindow: async (url) => windows.push({ url }) },
  };
  vm.runInNewContext(SOURCE, { self, caches, fetch, URL, Promise, Set, Map });
  const send = async (kind, event) => {
    let waiting;
    listeners[kind]({ ...event, waitUntil: (promise) => (waiting = promise) });
    await waiting;
  };
  const push = (slug, sequence, more = {}) => {
    const data = { title: "Bob", body: "hi", url: `/chatroom/${slug}/${sequence}`, tag: `${slug}-${sequence}`, revision: sequence, ...more };
    return send("push", { data: { json: () => data } });
  };
  const click = (tag) => send("notificationclick", { notification: open.get(tag) });
  const go = async (path, method = "GET") => {
    const waiting = [];
    let answer;
    listeners.fetch({
      request: { url: ORIGIN + path, method, mode: "navigate" },
      waitUntil: (promise) => waiting.push(promise),
      respondWith: (promise) => (answer = promise),
    });
    await Promise.all(waiting);
    return (await answer)?.body;
  };
  return { go, network, push, click, windows, tags: () => [...open.keys()] };
}

test("without a network the last page opens", async () => {
  const { go, network } = start();
  await go("/chatroom/den");
  network.isAway = true;
  assert.equal(await go("/chatroom/den"), "page /chatroom/den");
});

test("files with a version are left to the browser's own cache, the others come from the network or the last one", async () => {
  const { go, network } = start();
  assert.equal(await go("/static/~1f0c3a52b7/pages/chat.js"), undefined);
  assert.equal(await go("/static/css/site.css"), "page /static/css/site.css");
  network.isAway = true;
  assert.equal(await go("/static/css/site.css"), "page /static/css/site.css");
});

for (const [path, method] of [["/logout", "POST"], ["/login", "GET"], ["/login", "POST"], ["/register", "POST"]]) {
  test(`S08: after ${method} ${path} nothing is left for who comes next`, async () => {
    const { go, network } = start();
    await go("/chatroom/den");
    await go(path, method);
    network.isAway = true;
    assert.equal(await go("/chatroom/den"), undefined);
  });
}

const rooms = (...list) => () => ({ ok: true, status: 200, json: async () => ({ rooms: list.map(([slug, read_sequence]) => ({ slug, read_sequence })) }) });

test("a push closes the notifications of messages that were read on another device", async () => {
  const { push, network, tags } = start();
  network.answer = rooms(["den", 4], ["dm-a-1", 0]);
  await push("den", 4);
  await push("den", 5);
  assert.deepEqual(tags(), ["den-5"]);
  await push("dm-a-1", 7);
  await push("den", 3, { revision: 9 });
  assert.deepEqual(tags(), ["den-5", "dm-a-1-7", "den-3"], "an edit is read later than its message");
  network.answer = rooms(["den", 9], ["dm-a-1", 9]);
  await push("dm-a-1", 9);
  assert.deepEqual(tags(), ["dm-a-1-9"], "the newest is always shown: browsers demand it of a push");
});

test("notifications stay while the server does not answer, and none is left after a log-out", async () => {
  const { go, push, network, tags } = start();
  network.answer = () => ({ ok: false, status: 503, json: async () => ({}) });
  await push("den", 4);
  await push("den", 5);
  network.isAway = true;
  await push("den", 6);
  assert.deepEqual(tags(), ["den-4", "den-5", "den-6"]);
  await go("/logout", "POST");
  assert.deepEqual(tags(), []);
});

test("a page in view needs no push, and a click opens the message and says where it comes from", async () => {
  const { push, click, windows, tags } = start();
  await push("den", 4);
  await click("den-4");
  assert.deepEqual([tags(), windows.map(({ url }) => url)], [[], ["/chatroom/den/4#notified"]]);
  windows[0] = { visibilityState: "visible", focused: true };
  await push("den", 5);
  assert.deepEqual(tags(), []);
});
