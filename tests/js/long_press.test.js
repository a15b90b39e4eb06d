import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { onLongPress } from "../../static/views/kit/long_press.js";

/** A part of the page with a message and a link in it. */
function make() {
  mock.timers.enable({ apis: ["setTimeout"] });
  const root = new EventTarget();
  const names = new Set();
  root.classList = { add: (name) => names.add(name), remove: (name) => names.delete(name), contains: (name) => names.has(name) };
  const pressed = [];
  const page = new EventTarget();
  onLongPress(root, (target) => pressed.push(target.name), page);
  const message = { name: "message", closest: () => null };
  const link = { name: "link", closest: () => link };
  const send = (type, more = {}) => {
    const event = new Event(type, { cancelable: true });
    const values = { pointerType: "touch", isPrimary: true, clientX: 100, clientY: 100, ...more };
    for (const [name, value] of Object.entries({ target: message, ...values })) Object.defineProperty(event, name, { value });
    page.dispatchEvent(event); // the page gets it first
    if (!more.isElsewhere) root.dispatchEvent(event);
    return event;
  };
  return { pressed, send, link, hold: () => mock.timers.tick(450) };
}

test.afterEach(() => mock.timers.reset());

test("a finger that is held on a message opens its actions, and no menu of the browser", () => {
  const { pressed, send, hold } = make();
  send("pointerdown");
  hold();
  assert.deepEqual(pressed, ["message"]);
  assert.equal(send("contextmenu").defaultPrevented, true);
  send("pointerup");
  assert.equal(send("contextmenu").defaultPrevented, false);
});

test("a tap, a scroll, a second finger, a mouse and a link keep what they do", () => {
  for (const [name, more] of [["pointerup"], ["pointercancel"], ["scroll"], ["pointermove", { clientY: 111 }]]) {
    const { pressed, send, hold } = make();
    send("pointerdown");
    send(name, more);
    hold();
    assert.deepEqual(pressed, [], name);
    mock.timers.reset();
  }
  for (const more of [{ isPrimary: false }, { pointerType: "mouse" }, { isLink: true }]) {
    const { pressed, send, link, hold } = make();
    send("pointerdown", more.isLink ? { target: link } : more);
    hold();
    assert.deepEqual(pressed, []);
    mock.timers.reset();
  }
});

test("a finger that trembles is held nevertheless", () => {
  const { pressed, send, hold } = make();
  send("pointerdown");
  send("pointermove", { clientX: 104, clientY: 97 });
  hold();
  assert.deepEqual(pressed, ["message"]);
});

test("when the finger goes up, what opened under it is not pressed; the next tap and the keys press it", () => {
  const tap = { isElsewhere: true, detail: 1 };
  const { send, hold } = make();
  send("pointerdown");
  hold();
  send("pointerup");
  assert.equal(send("click", { ...tap, detail: 0 }).defaultPrevented, false, "a key");
  assert.equal(send("click", tap).defaultPrevented, true, "the finger that was held");
  assert.equal(send("click", tap).defaultPrevented, false, "only one click belongs to it");
  send("pointerdown");
  hold();
  send("pointerup");
  send("pointerdown", { isElsewhere: true });
  assert.equal(send("click", tap).defaultPrevented, false, "the next tap");
});
