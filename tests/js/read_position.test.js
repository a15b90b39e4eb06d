import assert from "node:assert/strict";
import { test } from "node:test";

import { ReadPosition } from "../../static/state/rooms/read_position.js";
import { Timers } from "../../static/state/kit/timers.js";
import { FakeClock } from "./fakes.js";

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

test("the first is told at once, then the last of every five seconds", async () => {
  const { clock, sent, position } = make();
  assert.equal(position.see(4), true);
  for (const sequence of [5, 6, 7]) position.see(sequence);
  assert.deepEqual(sent, [4]);
  await clock.pass(5000);
  assert.deepEqual(sent, [4, 7]);
  await clock.pass(60_000);
  assert.deepEqual(sent, [4, 7]);
});

test("what was read before is no news", () => {
  const { sent, position } = make();
  assert.equal(position.see(3), false);
  position.hear(9);
  assert.equal(position.see(9), false);
  assert.deepEqual(sent, []);
});

test("whoever leaves has told the last one", () => {
  const { sent, position } = make();
  position.see(4);
  position.see(5);
  position.tell();
  position.tell();
  assert.deepEqual(sent, [4, 5]);
});

test("without a connection it waits for the next one", () => {
  const { sent, line, position } = make();
  line.isUp = false;
  position.see(4);
  line.isUp = true;
  position.tell();
  assert.deepEqual(sent, [4]);
});
