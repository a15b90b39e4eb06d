/* What people say about the present: a status, and when they do not want to be disturbed. Both end by the clock. No DOM.

   Must match `current_status` and `quiet_until` in chatroom/people/statuses.py. */

import { Timers } from "../kit/timers.js";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
/** The longest wait for a change: a computer may sleep, and a clock may be changed. */
const LONGEST_MS = 60 * MINUTE_MS;

/** The year of an end that only the person sets. Must match `FOREVER` in chatroom/base/durations.py. */
export const FOREVER_YEAR = "9999";

/** The status at a moment, or null. */
export function statusAt({ status }, now) {
  if (!status || (status.until && Date.parse(status.until) <= now)) return null;
  return status;
}

/** When the person may be disturbed again: milliseconds, or 0 if that is now. */
export function quietEnd({ quiet }, now) {
  if (!quiet) return 0;
  const until = quiet.until ? Date.parse(quiet.until) : 0;
  const minutes = minutesOf(quiet, now);
  const ofHours = minutes?.isInside ? floorMinute(now) + minutes.toEnd * MINUTE_MS : 0;
  const end = Math.max(until, ofHours);
  return end > now ? end : 0;
}

/** When something that these people say begins or ends next; Infinity if nothing does. */
export function nextChange(people, now) {
  let next = Infinity;
  for (const { status, quiet } of people) {
    for (const moment of [status?.until, quiet?.until]) {
      const at = moment ? Date.parse(moment) : 0;
      if (at > now) next = Math.min(next, at);
    }
    const minutes = quiet && minutesOf(quiet, now);
    if (minutes) next = Math.min(next, floorMinute(now) + Math.min(minutes.toStart, minutes.toEnd) * MINUTE_MS);
  }
  return next;
}

/** Calls `onChange` whenever something that the people say has begun or ended. */
export class Moments {
  #clock;
  #timers;
  #onChange;

  constructor({ clock, onChange }) {
    this.#clock = clock;
    this.#timers = new Timers(clock);
    this.#onChange = onChange;
  }

  /** From now on, these people are shown. */
  watch(people) {
    this.#timers.stop("change");
    const watched = [...people];
    const now = this.#clock.now();
    const next = nextChange(watched, now);
    if (next === Infinity) return;
    this.#timers.set("change", Math.min(next - now, LONGEST_MS), () => {
      this.#onChange();
      this.watch(watched);
    });
  }
}

/** The minutes from now to the next start and end of the quiet hours, and whether they hold now; null without any. */
function minutesOf({ start, end, time_zone }, now) {
  const clock = start ? clockIn(time_zone, now) : null;
  if (clock === null) return null;
  const toStart = minutesUntil(start, clock);
  const toEnd = minutesUntil(end, clock);
  return { toStart, toEnd, isInside: toEnd < toStart };
}

function minutesUntil(text, clock) {
  const [hours, minutes] = text.split(":").map(Number);
  return ((hours * 60 + minutes - clock + DAY_MINUTES - 1) % DAY_MINUTES) + 1;
}

/** The minutes since midnight in a zone; the server may know zones that this browser does not know. */
function clockIn(timeZone, now) {
  try {
    const format = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
    const parts = Object.fromEntries(format.formatToParts(new Date(now)).map(({ type, value }) => [type, Number(value)]));
    return parts.hour * 60 + parts.minute;
  } catch {
    return null;
  }
}

function floorMinute(now) {
  return now - (now % MINUTE_MS);
}
