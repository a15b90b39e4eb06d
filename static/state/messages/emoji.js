/* Searches emoji by name, and remembers the recently used ones. No DOM. */

const MOST_RECENT = 16;
const RECENT_KEY = "chatroom:emoji";
const FIRST_RECENT = ["👍", "❤️", "😄", "🎉", "👀", "✅", "🙏", "🔥"];

export class Emoji {
  #storage;

  /** `data` is static/emoji/emoji.json: the names of the groups, and one row per emoji. */
  constructor({ data, storage }) {
    this.#storage = storage;
    this.all = data.emoji.map(([character, group, codes, label, words]) => ({
      character,
      group,
      codes: codes.split(" "),
      label,
      words: `${label} ${words}`.toLowerCase().split(/[\s_-]+/),
    }));
    this.groups = data.groups.map((name, group) => ({ name, emoji: this.all.filter((each) => each.group === group) }));
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
    return ranked.flat().slice(0, limit);
  }

  find(character) {
    return this.all.find((each) => each.character === character);
  }

  /** The recently used emoji, the latest first; at first, the most popular ones. */
  get recent() {
    const characters = [...new Set([...this.#read(), ...FIRST_RECENT])].slice(0, MOST_RECENT);
    return characters.map((character) => this.find(character)).filter(Boolean);
  }

  use(character) {
    const kept = [character, ...this.#read().filter((each) => each !== character)].slice(0, MOST_RECENT);
    try {
      this.#storage.setItem(RECENT_KEY, JSON.stringify(kept));
    } catch {
      // Storage may be full or forbidden.
    }
  }

  #read() {
    try {
      const found = JSON.parse(this.#storage.getItem(RECENT_KEY) ?? "[]");
      return Array.isArray(found) ? found : [];
    } catch {
      return [];
    }
  }
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
