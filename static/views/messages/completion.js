/* Suggestions for the name or emoji that is being typed: a list above the composer, while the text keeps the focus. */

import { count, findUnfinished, isContinued } from "../../state/kit/text.js";
import { onKeys } from "../kit/keys.js";
import { selectOption } from "../kit/list.js";
import { makeAvatar } from "../kit/signs.js";

const WAIT_MS = 80;

export class CompletionView {
  #text;
  #find;
  #insert;
  #list;
  #status;
  #choices = [];
  #chosen = 0;
  #unfinished = null;
  #dismissed = null; // where the person dismissed the suggestions
  #timer;
  #asked = 0;

  /** The `find` functions return matches for a typed text; `insert(text, start, end)` replaces the typed text. */
  constructor({ text, findMembers, findEmoji, findRooms, insert }) {
    this.#text = text;
    this.#find = {
      member: async (query) => (await findMembers(query)).map(memberChoice),
      emoji: async (query) => (await findEmoji(query)).map(emojiChoice),
      room: async (query) => (await findRooms(query)).map(roomChoice),
    };
    this.#insert = insert;
    this.#list = document.createElement("ul");
    this.#list.id = "completion";
    this.#list.className = "completion";
    this.#list.hidden = true;
    this.#list.setAttribute("role", "listbox");
    this.#list.setAttribute("aria-label", "Suggestions");
    this.#status = document.createElement("p");
    this.#status.className = "visually-hidden";
    this.#status.setAttribute("role", "status");
    const form = text.form;
    form.append(this.#list, this.#status);
    text.setAttribute("aria-autocomplete", "list");
    text.setAttribute("aria-controls", this.#list.id);
    // In the capture phase: before the composer takes Enter for sending.
    onKeys(form, (meaning, event) => event.target === text && this.#press(meaning, event), { capture: true });
    for (const kind of ["input", "compositionend", "click", "keyup"]) text.addEventListener(kind, (event) => this.#look(event));
    text.addEventListener("blur", () => this.#close());
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()); // the text keeps the focus
    this.#list.addEventListener("click", ({ target }) => {
      const item = target.closest("[role=option]");
      if (item) this.#take([...this.#list.children].indexOf(item));
    });
    this.#look();
  }

  #look({ inputType } = {}) {
    const { selectionStart, selectionEnd, value } = this.#text;
    const found = selectionStart === selectionEnd ? findUnfinished(value, selectionStart) : null;
    if (isSame(found, this.#unfinished)) return;
    if (!isContinued(this.#unfinished, found)) this.#close(); // the suggestions are for another text
    this.#unfinished = found;
    clearTimeout(this.#timer);
    if (inputType === "historyUndo" && found) this.#dismissed = found.start; // the choice was undone
    if (found?.start !== this.#dismissed) this.#dismissed = null;
    if (!found || this.#dismissed !== null) this.#close();
    else this.#timer = setTimeout(() => this.#ask(found), WAIT_MS);
  }

  async #ask(unfinished) {
    this.#asked += 1;
    const asked = this.#asked;
    let choices = [];
    try {
      choices = await this.#find[unfinished.kind](unfinished.query);
    } catch {
      // Without an answer, there are no suggestions.
    }
    if (asked !== this.#asked || unfinished !== this.#unfinished || document.activeElement !== this.#text) return;
    this.#choices = choices;
    this.#list.replaceChildren(...choices.map(makeItem));
    this.#list.hidden = choices.length === 0;
    this.#status.textContent = choices.length ? `${count(choices.length, "suggestion")}. Tab takes the first.` : "";
    this.#choose(0);
  }

  #choose(index) {
    this.#chosen = index;
    selectOption(this.#list, this.#text, index);
  }

  #press(meaning, event) {
    if (this.#list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[meaning];
    if (step) this.#choose((this.#chosen + step + this.#choices.length) % this.#choices.length);
    else if (meaning === "Enter" || meaning === "Tab") this.#take(this.#chosen);
    else if (meaning === "Escape") this.#dismiss();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #take(index) {
    const { start, end } = this.#unfinished;
    const { text } = this.#choices[index];
    this.#close();
    this.#insert(`${text} `, start, end);
  }

  #dismiss() {
    this.#dismissed = this.#unfinished.start;
    this.#close();
  }

  #close() {
    this.#asked += 1;
    this.#list.hidden = true;
    this.#choices = [];
    this.#status.textContent = "";
    this.#text.removeAttribute("aria-activedescendant");
  }
}

function isSame(a, b) {
  return a === b || (a && b && a.kind === b.kind && a.query === b.query && a.start === b.start);
}

function memberChoice({ id, username, name, isAbsent }) {
  const more = isAbsent ? `@${username} · not in this room` : `@${username}`;
  return { text: `@${username}`, picture: makeAvatar({ id, name }, "small"), name, more, isAbsent };
}

function emojiChoice({ character, codes, label }) {
  const emoji = document.createElement("span");
  emoji.className = "emoji completion__emoji";
  emoji.textContent = character;
  return { text: character, picture: emoji, name: `:${codes[0]}:`, more: label };
}

function roomChoice({ slug, title, kind }) {
  const sign = document.createElement("span");
  sign.className = "completion__emoji";
  sign.textContent = "#";
  return { text: `#${slug}`, picture: sign, name: title, more: kind === "private" ? `#${slug} · private` : `#${slug}` };
}

function makeItem({ picture, name, more, isAbsent }, index) {
  const item = document.createElement("li");
  item.id = `completion-${index}`;
  item.className = `completion__item${isAbsent ? " completion__item--absent" : ""}`;
  item.setAttribute("role", "option");
  const title = document.createElement("bdi");
  title.className = "completion__name";
  title.textContent = name;
  const detail = document.createElement("span");
  detail.className = "completion__more";
  detail.textContent = more;
  item.append(picture, title, " ", detail);
  return item;
}
