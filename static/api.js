/* The room over plain HTTP: reading changes and history, and posting. No DOM. */

const TIMEOUT_MS = 8000;

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

  /** The messages before a sequence, oldest first. */
  readHistory(before) {
    return this.#request(`${this.#url}?format=html&before=${before}`);
  }

  /** The newest page, and the cursor to continue with. */
  readNewest() {
    return this.#request(`${this.#url}?format=html`);
  }

  /** Store a draft; safe to repeat with the same `client_id`. */
  post({ client_id, text }) {
    return this.#request(this.#url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.#csrfToken },
      body: JSON.stringify({ client_id, text }),
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
      throw new ApiError({ status: 0, reason: "unreachable", message: "The room cannot be reached." });
    }
    throw await readError(response);
  }
}

async function readError(response) {
  // A proxy in between may answer with a page of its own, in place of our JSON.
  const { error = {} } = await response.json().catch(() => ({}));
  const seconds = error.retry_after ?? Number(response.headers.get("Retry-After") || NaN);
  return new ApiError({
    status: response.status,
    reason: error.reason ?? "unknown",
    message: error.message ?? `The room answered with an error (${response.status}).`,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
}
