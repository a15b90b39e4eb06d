import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const STATIC = new URL("../../static/", import.meta.url);
const read = (path) => readFileSync(new URL(path, STATIC), "utf8");
const modules = readdirSync(STATIC, { recursive: true }).filter((name) => name.endsWith(".js"));

/** What a module imports itself. */
function importsOf(path, pattern = /from "(\.[^"]+)"/g) {
  return [...read(path).matchAll(pattern)].map(([, target]) => new URL(target, new URL(path, STATIC)).href.slice(STATIC.href.length));
}

/** Every module that a module imports, and what those import. */
function reach(path, found = new Set()) {
  for (const module of importsOf(path)) if (!found.has(module)) reach(module, found.add(module));
  return found;
}

test("the room's page preloads exactly the modules that it runs", () => {
  const list = read("../templates/chatroom.html").match(/chat_modules = \[([^\]]+)\]/)[1];
  const preloaded = [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => `${name}.js`);
  assert.deepEqual(preloaded.sort(), ["pages/chat.js", ...reach("pages/chat.js")].sort());
});

/** Modules that are loaded only when somebody needs them, and what they import themselves. */
const late = modules.flatMap((path) => importsOf(path, /import\("(\.[^"]+)"\)/g));

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

test("modules loaded on demand are not loaded with the page", () => {
  assert.deepEqual(late.filter((path) => reach("pages/chat.js").has(path)), []);
  assert.ok(late.includes("views/messages/picker.js"));
});

test("stored HTML becomes elements in exactly one place", () => {
  const places = modules.filter((path) => /innerHTML\s*=[^=]|insertAdjacentHTML|outerHTML|setHTML|document\.write/.test(read(path)));
  assert.deepEqual(places, ["views/messages/message.js"]);
  // Copied HTML is parsed, and only its text is used.
  assert.deepEqual(modules.filter((path) => read(path).includes("DOMParser")), ["views/kit/markdown.js"]);
  assert.equal(read("views/messages/message.js").match(/\.innerHTML = /g).length, 1);
});

test("only one module listens to keys, and only one reads what an event says about its key", () => {
  const listening = modules.filter((path) => /"key(?:down|press)"|\bonkey/.test(read(path)));
  assert.deepEqual(listening, ["views/kit/keys.js"]);
  const reading = /\bevent\.(?:key|code|keyCode|which|isComposing)\b|\b(?:key|code|keyCode|which|isComposing)\b[^{}]*\} = event/;
  assert.deepEqual(modules.filter((path) => reading.test(read(path))).sort(), ["state/kit/keys.js", "views/kit/keys.js"]);
});

test("every page protects the compositions of input methods", () => {
  const entries = first.filter((name) => !["pages/service_worker.js", "pages/chat_loader.js"].includes(name)).concat("pages/chat.js");
  for (const path of entries) assert.match(read(path), /^protectCompositions\(document\);$/m, path);
});

test("a file that a comment names exists", () => {
  for (const path of modules) {
    for (const [name] of read(path).matchAll(/\b(?:chatroom|templates|static)\/[\w/]+\.(?:py|html|js)\b/g)) {
      assert.ok(existsSync(new URL(`../${name}`, STATIC)), `${path} names ${name}`);
    }
  }
});

test("state lives without the DOM", () => {
  const state = modules.filter((path) => path.startsWith("state/"));
  assert.ok(state.length > 10);
  for (const path of state) {
    assert.doesNotMatch(read(path).replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, ""), /\b(document|window|navigator|location)\b\./, path);
  }
});

test("imports go down: pages, then views, then state, and never in a circle", () => {
  const floors = ["state/", "views/", "pages/"];
  const floorOf = (path) => floors.findIndex((floor) => path.startsWith(floor));
  for (const path of modules) {
    assert.notEqual(floorOf(path), -1, `${path} is on no floor`);
    for (const target of importsOf(path)) assert.ok(floorOf(target) <= floorOf(path), `${path} imports ${target}`);
    assert.ok(!reach(path).has(path), `${path} imports itself, by way of others`);
  }
  for (const page of modules.filter((path) => path.startsWith("pages/"))) {
    assert.deepEqual(modules.filter((path) => importsOf(path).includes(page)), [], `${page} is an entry, which nothing imports`);
  }
});

/** The folders of the package, and what only scripts have: `kit`, for what many of the others use. */
const packages = new Set([...readdirSync(new URL("../chatroom", STATIC)), "kit"]);

test("a folder is named like the package that it belongs to, and holds at most 20 modules", () => {
  const folderOf = (path) => path.slice(0, path.lastIndexOf("/"));
  for (const folder of new Set(modules.map(folderOf))) {
    const inside = modules.filter((path) => folderOf(path) === folder);
    assert.ok(inside.length <= 20, `${folder} has ${inside.length} modules`);
    const [floor, name, ...deeper] = folder.split("/");
    assert.ok(floor === "pages" ? !name : packages.has(name), folder);
    assert.equal(deeper.length, 0, folder);
  }
});

test("no class has more than 15 methods", () => {
  for (const path of modules) {
    for (const [body, name] of read(path).matchAll(/^(?:export )?class (\w+)[^]*?^}/gm)) {
      const methods = [...body.matchAll(/^ {2}(?:static |async |get |set )*(#?\w+)\(.*\) \{$/gm)].map(([, method]) => method);
      assert.ok(methods.filter((method) => method !== "constructor").length <= 15, `${name} in ${path}: ${methods}`);
    }
  }
});
