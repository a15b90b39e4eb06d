/* Reactions, pins, the emoji picker and suggestions. Modules that are rarely needed are loaded on first use. */

import { findProblemOf } from "../../state/live/api.js";
import { findUnfinished } from "../../state/kit/text.js";
import { insertText } from "../kit/fields.js";
import { findStorage } from "../kit/page.js";
import { makeIcon } from "../kit/signs.js";

const GROUPS = { room: "Everybody in this room", here: "Everybody who is here now" };

export class Marks {
  #connection;
  #toast;
  #data;
  #api;
  #text;
  #picker = null;
  #emoji = null;
  #completion = null;
  #findRooms;

  /** `findRooms(text)` returns rooms that a typed `#` may name. */
  constructor({ page, api, connection, toast, findRooms }) {
    const { data, find } = page;
    this.#connection = connection;
    this.#toast = toast;
    this.#data = data;
    this.#api = api;
    this.#findRooms = findRooms;
    this.#text = find("text");
    find("messages").addEventListener("click", ({ target }) => this.#toggle(target.closest("[data-reaction]")));
    this.#setUpButton(find("emoji-button"));
    this.#text.addEventListener("input", () => this.#complete());
  }

  /** The actions for the class `Actions`. */
  get actions() {
    return [
      {
        name: "react",
        label: "React…",
        icon: "smile",
        order: 10,
        key: "r",
        isFor: ({ deleted_at }) => !deleted_at,
        run: ({ message, anchor }) => this.#react(message, anchor),
      },
      {
        name: "pin",
        label: ({ pinned_at }) => (pinned_at ? "Unpin" : "Pin to the top"),
        icon: "pin",
        order: 120,
        key: "p",
        isFor: ({ deleted_at }) => !deleted_at && this.#data.mayPin === "true",
        run: ({ message }) => this.#change({ type: "pin", id: message.id, on: !message.pinned_at }),
      },
    ];
  }

  async #react(message, anchor) {
    const emoji = await this.#pick(anchor);
    if (emoji) await this.#change({ type: "react", id: message.id, emoji, on: true });
  }

  #toggle(button) {
    if (!button) return;
    const { id } = button.closest("[data-message]").dataset;
    const on = button.getAttribute("aria-pressed") !== "true";
    this.#change({ type: "react", id, emoji: button.dataset.reaction, on });
  }

  async #change(frame) {
    const problem = await findProblemOf(() => this.#connection.change(frame));
    if (problem) this.#toast.say(problem);
  }

  #setUpButton(button) {
    button.append(makeIcon(this.#data.icons, "smile"));
    button.addEventListener("click", async () => {
      const { selectionStart, selectionEnd } = this.#text;
      const emoji = await this.#pick(button);
      if (emoji) insertText(this.#text, emoji, selectionStart, selectionEnd);
    });
  }

  /** Let the person choose an emoji; returns null when they cancel, or when the data cannot be loaded. */
  async #pick(anchor) {
    try {
      this.#picker ??= Promise.all([import("./picker.js"), this.#loadEmoji()]).then(
        ([{ PickerView }, emoji]) => new PickerView({ emoji }),
      );
      return await (await this.#picker).pick(anchor);
    } catch {
      this.#picker = null;
      this.#toast.say("The emoji could not be loaded. Try again.");
      return null;
    }
  }

  #loadEmoji() {
    this.#emoji ??= this.#fetchEmoji().catch((error) => {
      this.#emoji = null;
      throw error;
    });
    return this.#emoji;
  }

  async #fetchEmoji() {
    const [{ Emoji }, response] = await Promise.all([import("../../state/messages/emoji.js"), fetch(this.#data.emojiUrl)]);
    return new Emoji({ data: await response.json(), storage: findStorage("localStorage") });
  }

  /** Load the suggestions at the first unfinished name or emoji. */
  async #complete() {
    if (this.#completion || !findUnfinished(this.#text.value, this.#text.selectionStart)) return;
    this.#completion = import("./completion.js").then(
      ({ CompletionView }) =>
        new CompletionView({
          text: this.#text,
          findMembers: (beginning) => this.#findMembers(beginning),
          findEmoji: async (beginning) => (await this.#loadEmoji()).search(beginning, 8),
          findRooms: this.#findRooms,
          insert: (text, start, end) => insertText(this.#text, text, start, end),
        }),
    );
    try {
      await this.#completion;
    } catch {
      this.#completion = null;
    }
  }

  async #findMembers(beginning) {
    const { members, others, groups } = await this.#api.findMembers(beginning);
    const absent = others.map((person) => ({ ...person, isAbsent: true }));
    return [...members, ...groups.map((id) => ({ id, username: id, name: GROUPS[id] })), ...absent];
  }
}
