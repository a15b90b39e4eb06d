/* The HTTP API of people: the card of a person, and the user's own status. No DOM. */

import { request } from "../live/api.js";

export class PeopleApi {
  #room;
  #csrfToken;
  #options;

  /** `room`: the slug of the open room; `restate`: turns a sentence of the server into one for the reader. */
  constructor({ room, csrfToken, fetch, restate }) {
    this.#room = room;
    this.#csrfToken = csrfToken;
    this.#options = { fetch, restate };
  }

  /** The card of a person, with the role in the open room. */
  readPerson(id) {
    return request(`/api/people/${encodeURIComponent(id)}?${new URLSearchParams({ room: this.#room })}`, this.#options);
  }

  /** The members of the open room who are not in it now, and who of `ids` has the site open: `{away, more, here}`. */
  readPeople(ids) {
    return request(`/api/rooms/${encodeURIComponent(this.#room)}/people?${new URLSearchParams({ ids: ids.join() })}`, this.#options);
  }

  /** What waits for the user's decision: `{reports, held}`. Moderators only. */
  readCases() {
    return request("/api/cases", this.#options);
  }

  /** Set the user's status, or clear it (`{}`): `{status}`. */
  setStatus(status) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": this.#csrfToken };
    return request("/api/account/status", { ...this.#options, method: "PUT", headers, body: JSON.stringify(status) });
  }
}
