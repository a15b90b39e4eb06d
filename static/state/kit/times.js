/* Formats times for the reader: in their time zone, in the page's language, with 12 or 24 hours. No DOM.
   chatroom/web/kit/times.py shows the same times in pages without scripts. */

const DAY_MS = 86_400_000;
/** As the server writes a time in a sentence: chatroom/base/durations.py. */
const STATED = /\b(\d{1,2}) ([A-Z][a-z]{2})[a-z]* (\d{4}), (\d\d:\d\d) UTC\b/g;
const DATE = { day: "numeric", month: "long", year: "numeric" };

export class Times {
  #options;
  #now;
  #clock;
  #full;
  #date;
  #key;
  #day;

  /** `timeZone`: the zone that the person chose; otherwise, the browser's. */
  constructor({ locale, timeZone, hour12, now = Date.now } = {}) {
    this.#options = { locale, hour12, now };
    this.#now = now;
    timeZone = isKnown(timeZone) ? timeZone : undefined;
    // `hour12: false` shows midnight as 24:00 in some engines.
    const hourCycle = hour12 ? "h12" : "h23";
    this.#clock = format(locale, { hour: hour12 ? "numeric" : "2-digit", minute: "2-digit", hourCycle, timeZone });
    this.#full = format(locale, { dateStyle: "full", timeStyle: "long", hourCycle, timeZone });
    this.#date = format(locale, { ...DATE, timeZone });
    this.#key = format("en", { year: "numeric", month: "2-digit", day: "2-digit", timeZone });
    this.#day = format(locale, { weekday: "long", ...DATE, timeZone: "UTC" }); // for the days of `dayKey`
  }

  /** The same formats, in another time zone. */
  inZone(timeZone) {
    return new Times({ ...this.#options, timeZone });
  }

  /** "13:45" */
  clock(moment) {
    return this.#clock().format(new Date(moment));
  }

  /** The full date and time, with the time zone. */
  full(moment) {
    return this.#full().format(new Date(moment));
  }

  /** "21 November 2026, 13:45" */
  moment(moment) {
    return `${this.#date().format(new Date(moment))}, ${this.clock(moment)}`;
  }

  /** "08:00", "08:00 tomorrow", or a moment with its date: a time that comes. */
  soon(moment) {
    const { today } = this;
    const day = this.dayKey(moment);
    if (day === today) return this.clock(moment);
    return dayBefore(day) === today ? `${this.clock(moment)} tomorrow` : this.moment(moment);
  }

  /** A sentence of the server, with its times in the reader's zone instead of UTC. */
  restate(text) {
    return text.replace(STATED, (_, day, month, year, clock) => this.moment(Date.parse(`${day} ${month} ${year} ${clock} GMT`)));
  }

  /** "2026-11-21": the day of a time in the reader's time zone. */
  dayKey(moment) {
    // Built from parts, because the order and punctuation of a language depend on the browser's tables.
    const parts = Object.fromEntries(this.#key().formatToParts(new Date(moment)).map(({ type, value }) => [type, value]));
    return `${parts.year}-${parts.month}-${parts.day}`;
  }

  /** The key of the current day. */
  get today() {
    return this.dayKey(this.#now());
  }

  /** "Today", "Yesterday", or `day` for the key of a day. */
  dayLabel(key) {
    const { today } = this;
    if (key === today) return "Today";
    return key === dayBefore(today) ? "Yesterday" : this.day(key);
  }

  /** "Saturday, 21 November 2026", for the key of a day. */
  day(key) {
    return this.#day().format(new Date(key));
  }
}

/** The formats of this reader: the reader's variant of the page's language, the time zone that they chose or the browser's, 12 or 24 hours. */
export function timesOfReader({ language, languages, timeZone }) {
  const locale = languages.find((each) => each === language || each.startsWith(`${language}-`)) ?? language;
  const { hour12 } = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions();
  return new Times({ locale, hour12, timeZone });
}

/** A format that is made when it is used for the first time: that takes milliseconds. */
function format(locale, options) {
  let made;
  return () => (made ??= new Intl.DateTimeFormat(locale, options));
}

/** "18 s", "5 min" or "3 h": a time to wait. */
export function shortly(ms) {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  return seconds < 6000 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`;
}

/** A day of the calendar has 24 hours in UTC; in other zones, it may have 23 or 25. */
function dayBefore(key) {
  return new Date(Date.parse(key) - DAY_MS).toISOString().slice(0, 10);
}

/** The server may know zones that this browser does not know. */
function isKnown(timeZone) {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone }));
  } catch {
    return false;
  }
}
