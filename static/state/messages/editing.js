/* The edit of one message: keeps the typed text until the server has stored it or the person cancels. No DOM.

   An edit carries the revision that its author saw. So an edit without an answer can be sent again, and may arrive late
   or twice: it never overwrites a newer edit. */

import { ApiError } from "../live/api.js";

const PASSING = new Set(["unreachable", "unavailable", "unknown", "signed_out"]);

export const UNSURE = "It is not known whether this was saved. The page tries again when the server answers.";
const CONFLICT = "The message has changed in the meantime, as shown above. Save again to replace that text.";

export class Editing {
  #id;
  #seen;
  #change;
  #read;
  #onState;

  /** "open", "saving", "unsure" (no answer, so the outcome is unknown), or "saved". */
  state = "open";
  problem = "";
  hasConflict = false;

  /** `change(frame)` sends the edit, `read(id)` returns the current message, `onState()` is called after every change of state. */
  constructor({ message, change, read, onState }) {
    this.#id = message.id;
    this.#seen = message.revision;
    this.text = message.text;
    this.#change = change;
    this.#read = read;
    this.#onState = onState;
  }

  async save(text) {
    if (this.state === "saving" || this.state === "saved") return;
    this.text = text;
    this.#be("saving");
    try {
      const answer = await this.#change({ type: "edit", id: this.#id, text, revision: this.#seen });
      if (answer.type === "stored") this.#be("saved");
      else await this.#refused(answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      await this.#refused(error);
    }
  }

  /** The room can be reached again. */
  resume() {
    if (this.state === "unsure") this.save(this.text);
  }

  async #refused({ reason, message }) {
    if (PASSING.has(reason)) this.#be("unsure", UNSURE);
    else if (reason === "conflict") await this.#readAgain();
    else this.#be("open", message);
  }

  /** An author who has seen the newer text may replace it. */
  async #readAgain() {
    try {
      this.#seen = (await this.#read(this.#id)).revision;
      this.hasConflict = true;
      this.#be("open", CONFLICT);
    } catch (error) {
      this.#be("open", error.message);
    }
  }

  #be(state, problem = "") {
    this.state = state;
    this.problem = problem;
    this.#onState();
  }
}

/** Whether a person may see what a message said before its edits. Must match `may_see_versions` in chatroom/messages/versions.py. */
export function maySeeChanges({ author, edited_at, deleted_at }, { id, mayModerate }) {
  return Boolean(edited_at && !deleted_at && (mayModerate || author.id === id));
}
