/* Uploads files before their message is posted: two at a time. Each can be cancelled or retried. No DOM. */

import { formatSize } from "../kit/text.js";

const AT_ONCE = 2;

export class Uploads {
  #send;
  #makeKey;
  #maxBytes;
  #maxFiles;
  #onChange;
  #items = [];

  /** `send(file, onProgress)` returns `{stored, abort}`: a promise of the stored file's data, and a function that cancels. */
  constructor({ send, makeKey, maxBytes, maxFiles, onChange }) {
    this.#send = send;
    this.#makeKey = makeKey;
    this.#maxBytes = maxBytes;
    this.#maxFiles = maxFiles;
    this.#onChange = onChange;
  }

  /** The files, each with `key`, `name`, `size`, `state` (waiting, sending, done, failed), `progress` (0 to 1), `problem`. */
  get items() {
    return this.#items;
  }

  get isEmpty() {
    return this.#items.length === 0;
  }

  /** Whether all files are uploaded, so that the message can be sent. */
  get isReady() {
    return this.#items.every(({ state }) => state === "done");
  }

  get hasFailed() {
    return this.#items.some(({ state }) => state === "failed");
  }

  /** The server's data of the uploaded files. */
  get stored() {
    return this.#items.flatMap(({ stored }) => stored ?? []);
  }

  /** Start to upload files; returns the problem with some of them, or "". */
  add(files) {
    const problems = new Set();
    let left = 0;
    for (const file of files) {
      const problem = this.#findProblem(file);
      if (problem) problems.add(problem);
      else if (this.#maxFiles && this.#items.length >= this.#maxFiles) left += 1;
      else this.#items.push({ key: this.#makeKey(), file, name: file.name, size: file.size, state: "waiting", progress: 0, problem: "" });
    }
    this.#go();
    if (left) problems.add(`A message has at most ${this.#maxFiles} files. ${left === 1 ? "One file was" : `${left} files were`} not attached.`);
    return [...problems].join(" ");
  }

  /** Add files that were uploaded earlier and are in no message yet. */
  restore(stored) {
    for (const each of stored) {
      this.#items.push({ key: this.#makeKey(), name: each.name, size: each.size, state: "done", progress: 1, problem: "", stored: each });
    }
    this.#onChange();
  }

  /** Remove a file in any state. */
  remove(key) {
    const item = this.#find(key);
    if (!item) return;
    this.#items = this.#items.filter((each) => each !== item);
    item.abort?.();
    this.#go();
  }

  /** Upload a failed file again. */
  retry(key) {
    const item = this.#find(key);
    if (item?.state !== "failed") return;
    Object.assign(item, { state: "waiting", progress: 0, problem: "" });
    this.#go();
  }

  /** Give all files to a message. */
  take() {
    const taken = this.stored;
    this.#items = [];
    this.#onChange();
    return taken;
  }

  #findProblem({ name, size }) {
    const isTooLarge = this.#maxBytes && size > this.#maxBytes;
    return isTooLarge ? `${name} is too large: at most ${formatSize(this.#maxBytes)} are allowed.` : "";
  }

  #find(key) {
    return this.#items.find((item) => item.key === key);
  }

  #go() {
    const isFree = () => this.#items.filter(({ state }) => state === "sending").length < AT_ONCE;
    for (const item of this.#items) if (item.state === "waiting" && isFree()) this.#begin(item);
    this.#onChange();
  }

  async #begin(item) {
    item.state = "sending";
    const { stored, abort } = this.#send(item.file, (progress) => {
      item.progress = progress;
      this.#onChange();
    });
    item.abort = abort;
    try {
      Object.assign(item, { stored: await stored, state: "done", progress: 1 });
    } catch (error) {
      Object.assign(item, { state: "failed", problem: error.message });
    }
    if (this.#items.includes(item)) this.#go();
  }
}

/** Make the function that uploads a file: with XMLHttpRequest, because `fetch` does not report the progress of an upload. */
export function makeSend({ url, csrfToken }) {
  return (file, onProgress) => {
    const request = new XMLHttpRequest();
    const stored = new Promise((resolve, reject) => {
      request.open("POST", `${url}?${new URLSearchParams({ name: file.name })}`);
      request.setRequestHeader("X-CSRFToken", csrfToken);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.responseType = "json";
      request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
      request.onload = () => (request.status === 201 ? resolve(request.response) : reject(new Error(explain(request))));
      request.onerror = () => reject(new Error("The server cannot be reached."));
      request.onabort = () => reject(new Error("Cancelled."));
      request.send(file);
    });
    return { stored, abort: () => request.abort() };
  };
}

/** A proxy may answer with its own page instead of JSON. */
function explain({ response, status }) {
  return response?.error?.message ?? (status === 413 ? "The file is too large." : `The server answered with an error (${status}).`);
}
