/* The files being attached, chosen, dropped or pasted: each with its progress and a button that removes it. */

import { formatSize } from "../../state/kit/text.js";
import { makeSend, Uploads } from "../../state/files/uploads.js";
import { acceptDrops } from "./drops.js";
import { endingOf, showName, thumbnailOf } from "./files.js";
import { reconcile } from "../kit/list.js";
import { makeId } from "../kit/page.js";

const PREVIEW_PX = 80;

export class AttachmentsView {
  #list;
  #template;
  #announcer;
  #uploads;
  #elements = new Map();
  #onProblem;
  #onReady;
  #onStored;
  #isAwaited = false;
  #isAnnounced = false;

  /** `onReady()` sends the message that waited for its files; `onStored(files)` keeps the uploaded files; `onProblem(text)` shows a problem. */
  constructor({ page, onProblem, onReady, onStored }) {
    const { root, data, find, csrfToken } = page;
    const form = find("composer");
    this.#list = form.querySelector("[data-attachments]");
    this.#template = find("attachment-template");
    this.#announcer = find("announcer");
    this.#onProblem = onProblem;
    this.#onReady = onReady;
    this.#onStored = onStored;
    this.#uploads = new Uploads({
      send: makeSend({ url: data.uploadUrl, csrfToken }),
      makeKey: makeId,
      maxBytes: Number(data.maxFileBytes),
      maxFiles: Number(data.maxFiles),
      onChange: () => this.#show(),
    });
    const input = form.querySelector("[data-choose]");
    input.addEventListener("change", () => {
      this.add({ files: [...input.files] });
      input.value = "";
    });
    acceptDrops(root, { isOpen: () => !form.hidden, onDrop: (dropped) => this.add(dropped) });
  }

  /** Whether there are no files, uploaded or not. */
  get isEmpty() {
    return this.#uploads.isEmpty;
  }

  /** Attach files; `folders` are names of folders, which cannot be attached. */
  add({ files, folders = [] }) {
    const refused = folders.map((name) => `${name} is a folder. Attach the files in it, or a ZIP archive of it.`);
    const problem = [this.#uploads.add(files), ...refused].filter(Boolean).join(" ");
    if (problem) this.#onProblem(problem);
  }

  restore(files) {
    if (files.length) this.#uploads.restore(files);
  }

  /** Whether the message can be sent now; if not, `onReady` is called as soon as it can. */
  isReady() {
    this.#isAwaited = !this.#uploads.isReady && !this.#uploads.hasFailed;
    if (this.#uploads.hasFailed) this.#onProblem("A file could not be sent. Try again, or remove it.");
    this.#show();
    return this.#uploads.isReady;
  }

  take() {
    return this.#uploads.take();
  }

  #show() {
    const { items, isReady, hasFailed } = this.#uploads;
    const elements = items.map((item) => this.#elementOf(item));
    items.forEach((item, index) => this.#explain(elements[index], item));
    reconcile(this.#list, elements);
    this.#list.hidden = items.length === 0;
    const kept = new Set(items.map(({ key }) => key));
    for (const key of this.#elements.keys()) if (!kept.has(key)) this.#elements.delete(key);
    this.#onStored(this.#uploads.stored);
    this.#announce(items);
    if (this.#isAwaited && (isReady || hasFailed || !items.length)) {
      this.#isAwaited = false;
      if (isReady && items.length) this.#onReady();
    }
  }

  #elementOf(item) {
    let element = this.#elements.get(item.key);
    if (!element) {
      element = this.#template.content.firstElementChild.cloneNode(true);
      showName(element.querySelector("[data-name]"), item.name);
      element.querySelector("[data-preview]").dataset.ending = endingOf(item);
      element.querySelector("progress").setAttribute("aria-label", `Sending ${item.name}`);
      label(element.querySelector("[data-remove]"), `Remove ${item.name}`, () => this.#remove(item.key));
      label(element.querySelector("[data-retry]"), `Send ${item.name} again`, () => this.#uploads.retry(item.key));
      showPreview(element.querySelector("[data-preview]"), item);
      this.#elements.set(item.key, element);
    }
    return element;
  }

  #explain(element, { state, progress, problem, size, stored }) {
    showStored(element.querySelector("[data-preview]"), stored);
    element.classList.toggle("attachment--failed", state === "failed");
    element.querySelector("[data-retry]").hidden = state !== "failed";
    const bar = element.querySelector("progress");
    bar.hidden = state === "failed" || state === "done";
    bar.value = progress;
    const status = element.querySelector("[data-status]");
    const text = this.#isAwaited && state !== "done" ? "Uploading; the message is sent afterwards" : formatSize(size);
    status.textContent = problem || text;
  }

  /** Announce important changes: a file failed, or all are attached. */
  #announce(items) {
    const failed = items.find(({ state }) => state === "failed");
    const isDone = items.length > 0 && items.every(({ state }) => state === "done");
    const isNews = Boolean(failed) || isDone;
    if (isNews && !this.#isAnnounced) {
      this.#announcer.textContent = failed ? `${failed.name} was not sent. ${failed.problem}` : "The files are attached.";
    }
    this.#isAnnounced = isNews;
  }

  #remove(key) {
    const keys = this.#uploads.items.map((item) => item.key);
    const next = keys[keys.indexOf(key) + 1] ?? keys[keys.indexOf(key) - 1];
    this.#uploads.remove(key);
    // The focus must not get lost: it goes to the next file, or to the text.
    const target = this.#elements.get(next)?.querySelector("[data-remove]") ?? this.#list.closest("form").querySelector("[data-text]");
    target.focus();
  }
}

function label(button, text, action) {
  button.setAttribute("aria-label", text);
  button.addEventListener("click", action);
}

/** Show the server's thumbnail of a file that the browser could not draw, such as a HEIC or a PDF. */
function showStored(place, stored) {
  if (place.childElementCount || !(stored?.width || stored?.pages)) return;
  const image = new Image(PREVIEW_PX, PREVIEW_PX);
  image.alt = "";
  image.src = thumbnailOf(stored);
  place.replaceChildren(image);
}

/** Draw a preview on a canvas: the content security policy allows no blob addresses. */
async function showPreview(place, { file }) {
  if (!file?.type.startsWith("image/")) return;
  try {
    const picture = await createImageBitmap(file);
    const side = Math.min(picture.width, picture.height);
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = PREVIEW_PX;
    const [x, y] = [(picture.width - side) / 2, (picture.height - side) / 2];
    canvas.getContext("2d").drawImage(picture, x, y, side, side, 0, 0, PREVIEW_PX, PREVIEW_PX);
    picture.close();
    place.replaceChildren(canvas);
  } catch {
    // The browser cannot show this picture: show the file's extension.
  }
}
