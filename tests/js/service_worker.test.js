import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const ORIGIN = "https://room.test";
const SOURCE = readFileSync(new URL("../../static/pages/service_worker.js", import.meta.url), "utf8");

/** The worker between a network and its caches; `go` answers with what a navigation shows. */
function start() {
  const listeners = {};
  const kept = new Map([["pages-1", new Map()], ["files-1", new Map()]]);
  const network = { isAway: false, answer: (path) => ({ ok: true, status: 200, redirected: false, body: `page ${path}`, clone() { return this; } }) };
  const pathOf = (request) => new URL(request.url ?? request, ORIGIN).pathname;
  const caches = {
    open: async (name) => ({
      put: async (request, response) => kept.get(name).set(pathOf(request), response),
      keys: async () => [...kept.get(name).keys()],
      delete: async (path) => kept.get(name).delete(path),
      add: async () => {},
    }),
    delete: async (name) => kept.get(name).clear(),
    keys: async () => [...kept.keys()],
    match: async (request, { cacheName = "files-1" } = {}) => kept.get(cacheName).get(pathOf(request)),
  };
  const fetch = async (request) => {
    if (network.isAway) throw new TypeError("away");
    return network.answer(pathOf(request));
  };
  const self = { addEventListener: (kind, listener) => (listeners[kind] = listener), location: { origin: ORIGIN } };
  vm.runInNewContext(SOURCE, { self, caches, fetch, URL, Promise, Set });
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
  return { go, network };
}

test("without a network the last page opens", async () => {
  const { go, network } = start();
  await go("/chatroom/den");
  network.isAway = true;
  assert.equal(await go("/chatroom/den"), "page /chatroom/den");
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
