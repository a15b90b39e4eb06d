/* The HTTP API of a room: reading changes and history, and posting. No DOM. */

const TIMEOUT_MS = 8000;

/** The path and method of each change of a message. */
const CHANGES = { edit: ["PATCH"], delete: ["DELETE"], react: ["POST", "/reactions"], pin: ["POST", "/pin"] };

/** The server refused the request, or (status 0) could not be reached. */
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
  #roomUrl;
  #roomsUrl;
  #csrfToken;
  #fetch;

  /** `restate`: turns a sentence of the server into one for the reader. */
  constructor({ url, csrfToken, fetch, restate = (text) => text }) {
    this.#url = url;
    this.#roomUrl = url.replace(/\/messages$/, "");
    this.#roomsUrl = this.#roomUrl.replace(/\/[^/]+$/, "");
    this.#csrfToken = csrfToken;
    this.#fetch = fetch;
    this.restate = restate;
  }

  /** The changes after a revision: `{revision, messages, more}`. */
  readChanges(after) {
    return this.#request(`${this.#url}?format=html&after=${after}`);
  }

  /** A page of messages, oldest first: `before`, `since` or `around` a sequence; without any, the newest messages.

      `more`: there are older messages (with `since`: newer ones); `newer`, with `around`: there are newer messages. */
  readPage(where = {}) {
    return this.#request(`${this.#url}?${new URLSearchParams({ format: "html", ...where })}`);
  }

  /** The messages with these sequences (at most 100). */
  readSequences(sequences) {
    return this.#request(`${this.#url}?format=html&sequences=${sequences.join()}`);
  }

  /** Store a draft; safe to repeat with the same `client_id`. */
  post({ client_id, text, reply_to, files }) {
    return this.#request(this.#url, { method: "POST", body: { client_id, text, reply_to, files: idsOf(files) } });
  }

  /** What a text would look like as a message: `{html}`. Nothing is stored. */
  preview(text) {
    return this.#request(`${this.#roomUrl}/preview`, { method: "POST", body: { text } });
  }

  /** The user's held messages: `{held}`. */
  readHeld() {
    return this.#request(`${this.#roomUrl}/held`);
  }

  /** Withdraw a held message, or dismiss a rejected one. */
  withdraw(id) {
    return this.#request(`${this.#roomUrl}/held/${id}`, { method: "DELETE", body: {} });
  }

  /** Change a message like the frame with that `type`. */
  change({ type, id, ...body }) {
    const [method, path = ""] = CHANGES[type];
    return this.#request(`${this.#url}/${id}${path}`, { method, body });
  }

  /** One message with its Markdown text. */
  readText(id) {
    return this.#request(`${this.#url}/${id}?format=text`);
  }

  /** The user's rooms with unread counts: `{rooms}`. */
  readRooms() {
    return this.#request(this.#roomsUrl);
  }

  /** Change how the user lists a room. */
  arrange(slug, change) {
    return this.#request(`${this.#roomsUrl}/${encodeURIComponent(slug)}/arrange`, { method: "POST", body: change });
  }

  /** Report that the room is read up to a sequence ("read"), or make it unread from a message on ("unread"): `{sequence, unread_marks}`. */
  mark(how, position) {
    return this.#request(`${this.#roomUrl}/${how}`, { method: "POST", body: position });
  }

  /** Add a person to the room, by user name. */
  addMember(username) {
    return this.#request(`${this.#roomUrl}/members`, { method: "POST", body: { username } });
  }

  /** Some people with a name that starts with the text: `{members, others, groups}`; the others are not in the room. */
  findMembers(beginning) {
    return this.#request(`${this.#roomUrl}/members?q=${encodeURIComponent(beginning)}`);
  }

  #request(url, { method = "GET", body } = {}) {
    const headers = body && { "Content-Type": "application/json", "X-CSRFToken": this.#csrfToken };
    return request(url, { method, headers, body: body && JSON.stringify(body), fetch: this.#fetch, restate: this.restate });
  }
}

/** Send a request, and return the answer; throws an `ApiError`. */
export async function request(url, { fetch, restate, headers = {}, ...options }) {
  let response;
  try {
    response = await fetch(url, {
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
  throw await readError(response, restate);
}

/** A draft has all data of its files; the server expects only their ids, and no field without files. */
export function idsOf(files) {
  return files?.length ? files.map(({ id }) => id) : undefined;
}

async function readError(response, restate) {
  // A proxy may answer with its own page instead of JSON.
  const { error = {} } = await response.json().catch(() => ({}));
  const seconds = error.retry_after ?? Number(response.headers.get("Retry-After") || NaN);
  return new ApiError({
    status: response.status,
    reason: error.reason ?? "unknown",
    message: error.message ? restate(error.message) : `The server answered with an error (${response.status}).`,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
}

/** Run a request that the server may refuse; returns the reason of the failure, or "". */
export async function findProblemOf(change) {
  try {
    const answer = await change();
    return answer?.type === "refused" ? answer.message : "";
  } catch (error) {
    return error.message;
  }
}
