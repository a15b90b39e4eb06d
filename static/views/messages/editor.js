/* The editor in place of a message: Enter saves, Esc cancels. */

import { Editing } from "../../state/messages/editing.js";
import { findProblem } from "../../state/kit/text.js";
import { makeText } from "../kit/dialog.js";
import { fitHeight } from "../kit/fields.js";
import { isSubmit, isTouchOnly, onKeys } from "../kit/keys.js";
import { makeIcon } from "../kit/signs.js";
import { startTools } from "../kit/tools.js";
import { wellFormed } from "./composer.js";
import { showText } from "./message.js";
import { acceptPastes } from "./pasting.js";

const HELP = "Enter saves, Esc cancels.";
const NO_FILES = "Files cannot be added to a posted message. Attach them to a new message.";

export class EditorView {
  #api;
  #connection;
  #maxLength;
  #tools;
  #onShow;
  #onLeave;
  #editing = null;
  #form;
  #text;
  #problem;
  #body;
  #from;

  /** `onShow()`: show the message again; `onLeave()`: the element that had the focus before no longer exists. */
  constructor({ page, api, connection, onShow, onLeave }) {
    this.#api = api;
    this.#connection = connection;
    this.#maxLength = Number(page.data.maxLength);
    this.#tools = { icons: page.data.icons, read: (text) => api.preview(text), show: (panel, html) => showText(panel, html, page.data.user) };
    this.#onShow = onShow;
    this.#onLeave = onLeave;
  }

  get isOpen() {
    return this.#editing !== null;
  }

  /** The room can be reached again. */
  resume() {
    this.#editing?.resume();
  }

  /** Edit a message, unless another one is being edited; throws an ApiError when its text cannot be read. */
  async open(message, element) {
    if (this.isOpen) {
      this.#text.focus();
      return;
    }
    const read = (id) => this.#api.readText(id);
    const from = document.activeElement;
    const now = await read(message.id);
    if (this.isOpen) return; // called twice
    this.#from = from;
    this.#editing = new Editing({
      message: now,
      change: (frame) => this.#connection.change(frame),
      read,
      onState: () => this.#show(),
    });
    this.#body = element.querySelector("[data-body]");
    this.#body.hidden = true;
    this.#makeForm(now.text);
    this.#body.after(this.#form);
    fitHeight(this.#text);
    this.#text.focus();
    this.#form.scrollIntoView({ block: "nearest" });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    this.#text.addEventListener("input", () => fitHeight(this.#text));
    startTools({ ...this.#tools, form: this.#form, field: this.#text, onProblem: (text) => this.#say(text) });
    onKeys(this.#form, (meaning, event) => this.#press(meaning, event));
    acceptPastes(this.#text, {
      maxLength: this.#maxLength,
      onFiles: () => this.#say(NO_FILES),
      onLong: (text) => this.#say(findProblem(text, this.#maxLength)),
    });
    this.#form.querySelector("[data-cancel]").addEventListener("click", () => this.#close());
  }

  #save() {
    const text = wellFormed(this.#text.value);
    const problem = findProblem(text, this.#maxLength);
    if (problem) this.#say(problem);
    else this.#editing.save(text);
  }

  #press(meaning, event) {
    if (meaning === "Escape") {
      event.preventDefault();
      this.#close();
    } else if (event.target === this.#text && isSubmit(meaning, this.#text)) {
      event.preventDefault();
      if (!event.repeat) this.#save();
    }
  }

  #show() {
    const { state, problem, hasConflict } = this.#editing;
    if (state === "saved") {
      this.#close();
      return;
    }
    this.#text.readOnly = state === "saving";
    this.#form.classList.toggle("editor--saving", state === "saving");
    this.#body.hidden = !hasConflict;
    this.#say(problem);
  }

  #close() {
    this.#editing = null;
    this.#form.remove();
    this.#body.hidden = false;
    this.#onShow();
    if (this.#from.isConnected && this.#from !== document.body) this.#from.focus();
    else this.#onLeave();
  }

  #say(problem) {
    this.#problem.textContent = problem;
    this.#problem.hidden = !problem;
    this.#text.toggleAttribute("aria-invalid", Boolean(problem));
  }

  #makeForm(text) {
    this.#form = document.createElement("form");
    this.#form.className = "editor";
    this.#text = document.createElement("textarea");
    this.#text.className = "editor__text";
    this.#text.dir = "auto";
    this.#text.rows = 2;
    this.#text.value = text;
    this.#text.setAttribute("aria-label", "Edit the message");
    this.#text.enterKeyHint = isTouchOnly() ? "enter" : "done";
    this.#problem = makeText("p", "editor__problem", "");
    this.#problem.setAttribute("role", "alert");
    this.#problem.hidden = true;
    const box = makeBox("editor__box", makeBox("field-stack", makePreview(), this.#text), this.#makeTools());
    const cancel = makeText("button", "button button--outline button--small", "Cancel");
    cancel.type = "button";
    cancel.dataset.cancel = "";
    const foot = document.createElement("p");
    foot.className = "editor__foot";
    foot.append(makeText("button", "button button--primary button--small", "Save"), cancel, makeText("span", "editor__help", isTouchOnly() ? "" : HELP));
    this.#form.append(box, this.#problem, foot);
  }

  #makeTools() {
    const formats = makeBox("formats formats--open");
    formats.dataset.formats = "";
    const preview = makeText("button", "tool", "");
    preview.type = "button";
    preview.title = "Preview";
    preview.dataset.previewButton = "";
    preview.setAttribute("aria-label", "Preview");
    preview.append(makeIcon(this.#tools.icons, "eye"));
    return makeBox("editor__tools", formats, preview);
  }
}

function makeBox(className, ...children) {
  const box = document.createElement("div");
  box.className = className;
  box.append(...children);
  return box;
}

function makePreview() {
  const preview = document.createElement("section");
  Object.assign(preview, { className: "preview preview--editor message__body", hidden: true, tabIndex: 0, dir: "auto" });
  preview.dataset.preview = "";
  preview.setAttribute("aria-label", "Preview");
  return preview;
}
