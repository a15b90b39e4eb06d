import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { shortly, Times, timesOfReader } from "../../static/state/kit/times.js";

const { moments } = JSON.parse(readFileSync(new URL("../corpus/times.json", import.meta.url), "utf8"));
const MIDNIGHT = "2026-11-21T00:05:00Z";
const plain = (text) => text.replaceAll("\u202f", " ");

test("day and time of the same moments as on pages without scripts, with 24 and with 12 hours", () => {
  for (const [timeZone, moment, day, clock24, clock12] of moments) {
    const british = new Times({ locale: "en-GB", timeZone });
    const american = new Times({ locale: "en-US", timeZone, hour12: true });
    assert.deepEqual(
      [british.dayKey(moment), british.clock(moment), plain(american.clock(moment))],
      [day, clock24, clock12],
      `${moment} in ${timeZone}`,
    );
  }
});

test("a time that comes: today, tomorrow, later", () => {
  const times = new Times({ locale: "en-GB", timeZone: "Asia/Kathmandu", now: () => Date.parse("2026-11-28T17:00:00Z") });
  assert.equal(times.soon("2026-11-28T18:00:00Z"), "23:45");
  assert.equal(times.soon("2026-11-29T02:15:00Z"), "08:00 tomorrow");
  assert.equal(times.soon("2026-11-30T02:15:00Z"), "30 November 2026, 08:00");
});

test("midnight is never 24:05, in any language", () => {
  for (const locale of ["en", "en-US", "en-GB", "en-CA", "en-AU", "en-IN", "de", "fr", "ja", "zh", "ko", "ru", "es", "sv", "ar-u-nu-latn"]) {
    const times = new Times({ locale, timeZone: "UTC", hour12: false });
    assert.match(times.clock(MIDNIGHT), /^00\D05$/, locale);
    assert.match(times.full(MIDNIGHT), /\b0?0\D+0?5\D+0?0(\D|$)/, locale);
    const twelve = plain(new Times({ locale: "en-US", timeZone: "UTC", hour12: true }).full(MIDNIGHT));
    assert.match(twelve, /12:05:00 AM/);
  }
});

test("a time that a sentence of the server states is shown in the reader's zone", () => {
  const times = new Times({ locale: "en-GB", timeZone: "Asia/Kolkata" });
  const said = "You are muted until 21 November 2026, 20:30 UTC. The reason: back at 5:00 UTC.";
  assert.equal(times.restate(said), "You are muted until 22 November 2026, 02:00. The reason: back at 5:00 UTC.");
});

test("British and American dates", () => {
  const options = { timeZone: "UTC" };
  assert.equal(new Times({ ...options, locale: "en-GB" }).moment(MIDNIGHT), "21 November 2026, 00:05");
  assert.equal(plain(new Times({ ...options, locale: "en-US", hour12: true }).moment(MIDNIGHT)), "November 21, 2026, 12:05 AM");
  assert.match(new Times({ ...options, locale: "en-GB" }).day("2026-11-21"), /^Saturday,? 21 November 2026$/);
  assert.equal(new Times({ ...options, locale: "en-US" }).day("2026-11-21"), "Saturday, November 21, 2026");
});

test("Today and Yesterday are days of the reader's calendar, also if a day has 23 or 25 hours", () => {
  for (const [timeZone, now, today, yesterday] of [
    ["Europe/Vienna", "2026-03-29T22:30:00Z", "2026-03-30", "2026-03-29"],
    ["Europe/Vienna", "2026-10-25T22:30:00Z", "2026-10-25", "2026-10-24"],
    ["Europe/Vienna", "2026-10-25T23:00:00Z", "2026-10-26", "2026-10-25"],
    ["America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-04", "2018-11-03"],
    ["Australia/Lord_Howe", "2026-04-05T13:29:00Z", "2026-04-05", "2026-04-04"],
    ["America/New_York", "2028-03-01T05:00:00Z", "2028-03-01", "2028-02-29"],
    ["Pacific/Kiritimati", "2026-12-31T10:00:00Z", "2027-01-01", "2026-12-31"],
  ]) {
    const times = new Times({ locale: "en-GB", timeZone, now: () => Date.parse(now) });
    assert.deepEqual([times.dayLabel(today), times.dayLabel(yesterday)], ["Today", "Yesterday"], `${now} in ${timeZone}`);
    assert.match(times.dayLabel("2026-11-21"), /21 November 2026/);
  }
});

test("labels move on at midnight, and a day after today has its date", () => {
  let now = Date.parse("2026-11-21T22:59:59Z");
  const times = new Times({ locale: "en-GB", timeZone: "Europe/Vienna", now: () => now });
  assert.deepEqual([times.today, times.dayLabel("2026-11-21")], ["2026-11-21", "Today"]);
  assert.match(times.dayLabel("2026-11-22"), /22 November/);
  now += 1000;
  assert.deepEqual([times.today, times.dayLabel("2026-11-21"), times.dayLabel("2026-11-22")], ["2026-11-22", "Yesterday", "Today"]);
});

test("the chosen time zone has priority over the browser's, unless the browser does not know it", () => {
  const page = { language: "en", languages: ["en-GB"] };
  assert.equal(timesOfReader({ ...page, timeZone: "Asia/Tokyo" }).dayKey("2026-11-20T15:05:00Z"), "2026-11-21");
  const browsers = timesOfReader(page).full(MIDNIGHT);
  assert.equal(timesOfReader({ ...page, timeZone: "Mars/Olympus" }).full(MIDNIGHT), browsers);
});

test("the time of another place has the reader's form", () => {
  const times = new Times({ locale: "en-US", hour12: true, timeZone: "UTC" });
  const [here, there] = [times, times.inZone("Asia/Tokyo")].map((each) => each.clock("2026-11-21T01:05:00Z").replace(/\s/u, " "));
  assert.deepEqual([here, there], ["1:05 AM", "10:05 AM"]);
});

test("without a choice, the zone is the browser's", () => {
  const url = new URL("../../static/state/kit/times.js", import.meta.url);
  const code = `import { timesOfReader } from "${url}";
    const times = timesOfReader({ language: "en", languages: ["de-AT", "en-GB"] });
    console.log(times.dayKey("${MIDNIGHT}"), Intl.DateTimeFormat().resolvedOptions().timeZone);`;
  for (const [zone, day] of [["Asia/Calcutta", "2026-11-21"], ["America/Los_Angeles", "2026-11-20"], ["UTC", "2026-11-21"]]) {
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], { env: { ...process.env, TZ: zone }, encoding: "utf8" });
    assert.equal(stdout, `${day} ${zone}\n`);
  }
});

test("a time to wait is in seconds, minutes or hours, never too short", () => {
  assert.deepEqual([200, 17_400, 99_000, 100_000, 5_999_000, 6 * 3_600_000].map(shortly), ["1 s", "18 s", "99 s", "2 min", "100 min", "6 h"]);
});
