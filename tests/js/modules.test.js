import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const STATIC = new URL("../../static/", import.meta.url);
const read = (path) => readFileSync(new URL(path, STATIC), "utf8");
const modules = readdirSync(STATIC, { recursive: true }).filter((name) => name.endsWith(".js"));

/** Every module that a module imports, and what those import. */
function reach(path, found = new Set()) {
  for (const [, target] of read(path).matchAll(/from "(\.[^"]+)"/g)) {
    const module = new URL(target, new URL(path, STATIC)).href.slice(STATIC.href.length);
    if (!found.has(module)) reach(module, found.add(module));
  }
  return found;
}

test("the room's page preloads exactly the modules that it runs", () => {
  const list = read("../templates/chatroom.html").match(/chat_modules = \[([^\]]+)\]/)[1];
  const preloaded = [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => `${name}.js`);
  assert.deepEqual(preloaded.sort(), [...reach("pages/chat.js")].sort());
});

/** Modules that are loaded only when somebody needs them, and what they import themselves. */
const late = modules.flatMap((path) =>
  [...read(path).matchAll(/import\("(\.[^"]+)"\)/g)].map(([, target]) =>
    new URL(target, new URL(path, STATIC)).href.slice(STATIC.href.length),
  ),
);

/** The scripts that pages name, and the one that a browser runs without a page. */
const first = readdirSync(new URL("../templates", STATIC), { recursive: true })
  .filter((name) => name.endsWith(".html"))
  .flatMap((name) => [...read(`../templates/${name}`).matchAll(/<script[^>]*static_url\('([\w/]+\.js)'/g)])
  .map(([, path]) => path)
  .concat("pages/service_worker.js");

test("no module is left over", () => {
  const used = new Set([...first, ...late].flatMap((path) => [path, ...reach(path)]));
  assert.deepEqual(modules.sort(), [...used].sort());
});

test("what is loaded late is not loaded with the page", () => {
  assert.deepEqual(late.filter((path) => reach("pages/chat.js").has(path)), []);
  assert.ok(late.includes("views/messages/picker.js"));
});

test("stored HTML becomes elements in exactly one place", () => {
  const places = modules.filter((path) => /innerHTML\s*=[^=]|insertAdjacentHTML|outerHTML|DOMParser|setHTML|document\.write/.test(read(path)));
  assert.deepEqual(places, ["views/messages/message.js"]);
  assert.equal(read("views/messages/message.js").match(/\.innerHTML = /g).length, 1);
});

test("state lives without the DOM", () => {
  const state = modules.filter((path) => path.startsWith("state/"));
  assert.ok(state.length > 10);
  for (const path of state) {
    assert.doesNotMatch(read(path).replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, ""), /\b(document|window|navigator|location)\b\./, path);
  }
});
