import assert from "node:assert/strict";
import { test } from "node:test";

import { Moments, nextChange, quietEnd, statusAt } from "../../static/state/people/says.js";
import { FakeClock } from "./fakes.js";

const at = (text) => Date.parse(`2026-11-21T${text}Z`);
const NIGHT = { quiet: { start: "22:00", end: "07:00", time_zone: "Europe/Berlin" } }; // 21:00 to 06:00 in UTC

test("a status holds until its end", () => {
  const person = { status: { emoji: "🌴", until: "2026-11-21T12:00:00Z" } };
  assert.equal(statusAt(person, at("11:59:59")), person.status);
  assert.equal(statusAt(person, at("12:00:00")), null);
  assert.equal(statusAt({}, at("12:00:00")), null);
  assert.deepEqual(statusAt({ status: { text: "Tea" } }, at("12:00:00")), { text: "Tea" });
});

test("quiet hours hold over midnight, in the zone of the person", () => {
  const morning = Date.parse("2026-11-22T06:00:00Z");
  assert.equal(quietEnd(NIGHT, at("20:59:59")), 0);
  assert.equal(quietEnd(NIGHT, at("21:00:00")), morning);
  assert.equal(quietEnd(NIGHT, morning - 1000), morning);
  assert.equal(quietEnd(NIGHT, morning), 0);
  assert.equal(quietEnd({ quiet: { start: "12:00", end: "13:00", time_zone: "UTC" } }, at("12:30:10")), at("13:00:00"));
  assert.equal(quietEnd({ quiet: { start: "12:00", end: "13:00", time_zone: "No/Where" } }, at("12:30:00")), 0);
});

test("the later end counts", () => {
  const until = "2026-11-23T00:00:00Z";
  assert.equal(quietEnd({ quiet: { ...NIGHT.quiet, until } }, at("21:00:00")), Date.parse(until));
  assert.equal(quietEnd({ quiet: { until } }, Date.parse(until)), 0);
  assert.equal(quietEnd({}, 0), 0);
});

test("the next change is the earliest start or end", () => {
  assert.equal(nextChange([{}, { status: { emoji: "🌴" } }], at("12:00:00")), Infinity);
  assert.equal(nextChange([NIGHT], at("20:30:30")), at("21:00:00"));
  assert.equal(nextChange([NIGHT], at("21:00:00")), Date.parse("2026-11-22T06:00:00Z"));
  assert.equal(nextChange([NIGHT, { status: { until: "2026-11-21T20:45:00Z" } }], at("20:30:00")), at("20:45:00"));
});

test("who watches is told of each end", async () => {
  const clock = new FakeClock();
  let changes = 0;
  const moments = new Moments({ clock, onChange: () => (changes += 1) });
  const until = (ms) => ({ status: { until: new Date(clock.now() + ms).toISOString() } });
  moments.watch([until(1000), until(5000)]);
  await clock.pass(1000);
  assert.equal(changes, 1);
  await clock.pass(4000);
  assert.equal(changes, 2);
  moments.watch([until(1000)]);
  moments.watch([]);
  await clock.pass(2000);
  assert.equal(changes, 2);
});
