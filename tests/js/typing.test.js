import assert from "node:assert/strict";
import { test } from "node:test";

import { Timers } from "../../static/state/kit/timers.js";
import { Typing, TypingNotifier } from "../../static/state/rooms/typing.js";
import { FakeClock } from "./fakes.js";

const PEOPLE = ["Ann", "Ben", "Cleo", "Dan"].map((name) => ({ id: name.toLowerCase(), name }));
const [ANN, BEN, CLEO, DAN] = PEOPLE;

function make() {
  const clock = new FakeClock();
  const shown = [];
  return { clock, shown, typing: new Typing({ user: ANN, timers: new Timers(clock), onChange: (text) => shown.push(text) }) };
}

test("one, two and several people are named in words, the person themselves is not", () => {
  const { typing } = make();
  const say = (...people) => {
    typing.apply({ people });
    return typing.text;
  };
  assert.equal(say(ANN), "");
  assert.equal(say(ANN, BEN), "Ben is typing…");
  assert.equal(say(BEN, CLEO), "Ben and Cleo are typing…");
  assert.equal(say(BEN, CLEO, DAN), "Several people are typing…");
  assert.equal(say(), "");
});

test("an author whose message arrived is no longer typing", () => {
  const { typing, shown } = make();
  typing.apply({ people: [BEN, CLEO] });
  typing.stop([BEN.id]);
  typing.stop([BEN.id]);
  assert.deepEqual(shown.slice(1), ["Cleo is typing…"]);
});

test("it ends by itself, even without the server", async () => {
  const { clock, typing } = make();
  typing.apply({ people: [BEN] });
  await clock.pass(6500);
  assert.equal(typing.text, "Ben is typing…");
  await clock.pass(1000);
  assert.equal(typing.text, "");
});

test("typing is announced every three seconds, and its end when the text was sent or cleared", async () => {
  const clock = new FakeClock();
  const sent = [];
  const notifier = new TypingNotifier({ clock, send: (isTyping) => sent.push(isTyping) });
  notifier.type(" ");
  assert.deepEqual(sent, []);
  for (const text of ["h", "he", "hel"]) notifier.type(text);
  assert.deepEqual(sent, [true]);
  await clock.pass(3000);
  notifier.type("hell");
  assert.deepEqual(sent, [true, true]);
  for (const text of ["", " ", ""]) notifier.type(text);
  assert.deepEqual(sent, [true, true, false]);
  notifier.type("n");
  await clock.pass(8000);
  notifier.type("");
  assert.deepEqual(sent, [true, true, false, true], "the others no longer see it");
});
