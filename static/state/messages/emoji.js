/* Searches emoji by name, and remembers the recently used ones and the skin tone. No DOM. */

const MOST_RECENT = 16;
const RECENT_KEY = "chatroom:emoji";
const TONE_KEY = "chatroom:skin-tone";
const TONE = /\p{Emoji_Modifier}/gu;

/** What takes a skin tone. The hands between two people do not take one. */
const SKIN = /(?!(?<=\u200d)\u{1f91d})(\p{Emoji_Modifier_Base})\ufe0f?/gu;

/** The skin tones, each with a name; the first is the yellow of all emoji. */
export const TONES = [
  ["", "Yellow"],
  ["🏻", "Light"],
  ["🏼", "Medium-light"],
  ["🏽", "Medium"],
  ["🏾", "Medium-dark"],
  ["🏿", "Dark"],
];

export class Emoji {
  #storage;
  #groups;

  /** `data` is static/emoji/emoji.json: the names of the groups, and one row per emoji. */
  constructor({ data, storage }) {
    this.#storage = storage;
    this.all = data.emoji.map(([character, group, codes, label, words, hasTones]) => ({
      character,
      group,
      hasTones: Boolean(hasTones),
      codes: codes.split(" "),
      label,
      words: `${label} ${words}`.toLowerCase().split(/[\s_-]+/),
    }));
    this.#groups = data.groups.map((name, group) => ({ name, emoji: this.all.filter((each) => each.group === group) }));
  }

  /** The groups with their emoji, in the chosen skin tone. */
  get groups() {
    return this.#groups.map(({ name, emoji }) => ({ name, emoji: this.#inTone(emoji) }));
  }

  /** The chosen skin tone: one of `TONES`. */
  get tone() {
    try {
      const found = this.#storage.getItem(TONE_KEY);
      return TONES.some(([tone]) => tone === found) ? found : "";
    } catch {
      return "";
    }
  }

  set tone(tone) {
    this.#store(TONE_KEY, tone);
  }

  /** The first matches: short code equal to the text, then starting with it, then containing a word that starts with it. */
  search(text, limit = Infinity) {
    const wanted = text.trim().toLowerCase().replace(/^:|:$/g, "");
    if (!wanted) return [];
    const parts = wanted.split(/[\s_-]+/);
    const ranked = [[], [], [], []];
    for (const each of this.all) ranked[rank(each, wanted, parts)]?.push(each);
    // The shortest code that starts with the text is the most likely one.
    ranked[1].sort((a, b) => lengthOf(a, wanted) - lengthOf(b, wanted));
    return this.#inTone(ranked.flat().slice(0, limit));
  }

  /** An emoji, in any skin tone. */
  find(character) {
    const bare = bareForm(character);
    const found = this.all.find((each) => bareForm(each.character) === bare);
    return found && { ...found, character };
  }

  /** The recently used emoji, the latest first. */
  get recent() {
    return this.#read().map((character) => this.find(character)).filter(Boolean);
  }

  use(character) {
    const kept = [character, ...this.#read().filter((each) => each !== character)].slice(0, MOST_RECENT);
    this.#store(RECENT_KEY, JSON.stringify(kept));
  }

  #inTone(emoji) {
    const { tone } = this;
    return tone ? emoji.map((each) => (each.hasTones ? { ...each, character: each.character.replaceAll(SKIN, `$1${tone}`) } : each)) : emoji;
  }

  #store(key, value) {
    try {
      this.#storage.setItem(key, value);
    } catch {
      // Storage may be full or forbidden.
    }
  }

  #read() {
    try {
      const found = JSON.parse(this.#storage.getItem(RECENT_KEY) ?? "[]");
      return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
    } catch {
      return [];
    }
  }
}

function bareForm(character) {
  return character.replaceAll(TONE, "").replaceAll("\ufe0f", "");
}

function lengthOf({ codes }, beginning) {
  return Math.min(...codes.filter((code) => code.startsWith(beginning)).map(({ length }) => length));
}

function rank({ codes, words }, wanted, parts) {
  if (codes.includes(wanted)) return 0;
  if (codes.some((code) => code.startsWith(wanted))) return 1;
  if (parts.every((part) => words.some((word) => word.startsWith(part)))) return 2;
  return codes.some((code) => code.includes(wanted)) ? 3 : undefined;
}
