/* The room over plain HTTP: reading changes and history, and posting. No DOM. */

const TIMEOUT_MS = 8000;

/** Where each change of a message goes. */
const CHANGES = { edit: ["PATCH"], delete: ["DELETE"], react: ["POST", "/reactions"], pin: ["POST", "/pin"] };

/** What the server refused, or (status 0) that it could not be reached. */
export class ApiError extends Error {
  constructor({ status, reason, message, retryAfterMs }) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

export class Api {
  #url;
  #csrfToken;
  #fetch;

  constructor({ url, csrfToken, fetch }) {
    this.#url = url;
    this.#csrfToken = csrfToken;
    this.#fetch = fetch;
  }

  /** What changed after a revision: `{revision, messages, more}`. */
  readChanges(after) {
    return this.#request(`${this.#url}?format=html&after=${after}`);
  }

  /** A page of messages, oldest first: those `before` a sequence, `since` it, or on both sides (`around`); else the newest.

      `more`: there are older ones (with `since`: newer ones); `newer`: there are newer ones than around it. */
  readPage(where = {}) {
    return this.#request(`${this.#url}?${new URLSearchParams({ format: "html", ...where })}`);
  }

  /** The messages with these sequences, at most a hundred. */
  readSequences(sequences) {
    return this.#request(`${this.#url}?format=html&sequences=${sequences.join()}`);
  }

  /** Store a draft; safe to repeat with the same `client_id`. */
  post({ client_id, text, reply_to, files }) {
    return this.#send("POST", this.#url, { client_id, text, reply_to, files: idsOf(files) });
  }

  /** What of one's own waits for approval: `{held}`. */
  readHeld() {
    return this.#request(`${this.#roomUrl}/held`);
  }

  /** Take back what waits for approval, or put away what was rejected. */
  withdraw(id) {
    return this.#send("DELETE", `${this.#roomUrl}/held/${id}`, {});
  }

  /** Change a message, as the frame of that `type` does. */
  change({ type, id, ...body }) {
    const [method, path = ""] = CHANGES[type];
    return this.#send(method, `${this.#url}/${id}${path}`, body);
  }

  /** One message with its text as it was typed. */
  readText(id) {
    return this.#request(`${this.#url}/${id}?format=text`);
  }

  /** The rooms that one is in, with what is unread: `{rooms}`. */
  readRooms() {
    return this.#request(this.#roomUrl.replace(/\/[^/]+$/, ""));
  }

  /** Say how far the room was read. */
  markRead(sequence) {
    return this.#send("POST", `${this.#roomUrl}/read`, { sequence });
  }

  /** Some who can be named in the room, and one of whose names begins like this: `{members}`. */
  findMembers(beginning) {
    return this.#request(`${this.#roomUrl}/members?q=${encodeURIComponent(beginning)}`);
  }

  get #roomUrl() {
    return this.#url.replace(/\/messages$/, "");
  }

  #send(method, url, body) {
    return this.#request(url, {
      method,
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.#csrfToken },
      body: JSON.stringify(body),
    });
  }

  async #request(url, { headers = {}, ...options } = {}) {
    let response;
    try {
      response = await this.#fetch(url, {
        ...options,
        headers: { Accept: "application/json", ...headers },
        cache: "no-store",
        credentials: "same-origin",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.ok) return await response.json();
    } catch {
      throw new ApiError({ status: 0, reason: "unreachable", message: "The server cannot be reached." });
    }
    throw await readError(response);
  }
}

/** A draft knows all about its files; the server wants their ids, and nothing where there are none. */
export function idsOf(files) {
  return files?.length ? files.map(({ id }) => id) : undefined;
}

async function readError(response) {
  // A proxy in between may answer with a page of its own, in place of our JSON.
  const { error = {} } = await response.json().catch(() => ({}));
  const seconds = error.retry_after ?? Number(response.headers.get("Retry-After") || NaN);
  return new ApiError({
    status: response.status,
    reason: error.reason ?? "unknown",
    message: error.message ?? `The server answered with an error (${response.status}).`,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
}

/** Do something that the server may refuse; answers with why it could not be done, or "". */
export async function findProblemOf(change) {
  try {
    const answer = await change();
    return answer?.type === "refused" ? answer.message : "";
  } catch (error) {
    return error.message;
  }
}
