/* Formats times for the reader: in their time zone, in the page's language, with 12 or 24 hours. No DOM. */

export class Times {
  #clock;
  #full;
  #day;
  #date;
  #key;

  constructor({ locale, timeZone, hour12 } = {}) {
    this.#clock = new Intl.DateTimeFormat(locale, { hour: hour12 ? "numeric" : "2-digit", minute: "2-digit", hour12, timeZone });
    this.#full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "long", hour12, timeZone });
    this.#day = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone });
    this.#date = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric", timeZone });
    this.#key = new Intl.DateTimeFormat("en", { year: "numeric", month: "2-digit", day: "2-digit", timeZone });
  }

  /** "13:45" */
  clock(moment) {
    return this.#clock.format(new Date(moment));
  }

  /** The full date and time, with the time zone. */
  full(moment) {
    return this.#full.format(new Date(moment));
  }

  /** "Saturday, 21 November 2026" */
  day(moment) {
    return this.#day.format(new Date(moment));
  }

  /** "21 November 2026, 13:45" */
  moment(moment) {
    return `${this.#date.format(new Date(moment))}, ${this.clock(moment)}`;
  }

  /** "2026-11-21": the day of a time in the reader's time zone. */
  dayKey(moment) {
    // Built from parts, because the order and punctuation of a language depend on the browser's tables.
    const parts = Object.fromEntries(this.#key.formatToParts(new Date(moment)).map(({ type, value }) => [type, value]));
    return `${parts.year}-${parts.month}-${parts.day}`;
  }
}

/** The formats of this reader: the reader's variant of the page's language, their time zone, 12 or 24 hours. */
export function timesOfReader({ language, languages }) {
  const locale = languages.find((each) => each === language || each.startsWith(`${language}-`)) ?? language;
  const { hour12 } = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions();
  return new Times({ locale, hour12 });
}
