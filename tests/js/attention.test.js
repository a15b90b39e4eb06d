import assert from "node:assert/strict";
import { test } from "node:test";

import { Attention } from "../../static/state/messages/attention.js";
import { listen } from "../../static/views/kit/page.js";
import { FakeClock } from "./fakes.js";

const AWAY_MS = 3 * 60_000;

function setUp({ isLooking = true } = {}) {
  const clock = new FakeClock();
  const browser = { isLooking: () => isLooking };
  let returns = 0;
  const attention = new Attention({ browser, clock, onReturn: () => (returns += 1) });
  return { attention, clock, look: (is) => (isLooking = is), returned: () => returns };
}

test("a page that opens in view is looked at", () => {
  assert.equal(setUp().attention.isHere, true);
});

test("a window without focus, or a hidden tab, is not looked at, also while the pointer moves over it", () => {
  const { attention, look, returned } = setUp({ isLooking: false });
  attention.use();
  attention.come();
  assert.deepEqual([attention.isHere, returned()], [false, 0]);
  look(true);
  attention.come();
  assert.deepEqual([attention.isHere, returned()], [true, 1]);
});

test("a page that nobody uses for three minutes is not looked at, until a key or the pointer", () => {
  const { attention, clock, returned } = setUp();
  clock.sleep(AWAY_MS - 1);
  assert.equal(attention.isHere, true);
  attention.use();
  assert.equal(returned(), 0, "the person was here");
  clock.sleep(AWAY_MS);
  assert.equal(attention.isHere, false);
  attention.use();
  assert.deepEqual([attention.isHere, returned()], [true, 1]);
});

test("messages that arrive after a sleeping laptop wakes are not read before somebody uses it", () => {
  const { attention, clock, returned } = setUp();
  clock.sleep(8 * 3_600_000);
  assert.deepEqual([attention.isHere, returned()], [false, 0]);
  attention.come();
  assert.deepEqual([attention.isHere, returned()], [true, 1]);
});

test("keys, the pointer, dictated text and a screen reader that moves the focus show that somebody uses the page", () => {
  [globalThis.window, globalThis.document] = [new EventTarget(), new EventTarget()];
  const used = [];
  let event;
  listen({ attention: { use: () => used.push(event) } });
  const kinds = ["keyup", "pointerdown", "pointermove", "wheel", "input", "focusin"];
  for (event of kinds) globalThis.window.dispatchEvent(new Event(event));
  assert.deepEqual(used, kinds);
});
