/* The people whom somebody chooses for a new conversation, and the suggestions for a typed name. No DOM. */

export class Recipients {
  #user;
  #most;
  #people = []; // {username, name}

  /** `user` is the username of the person who chooses, `most` the largest number of others. */
  constructor({ user, most }) {
    this.#user = user;
    this.#most = most;
  }

  get people() {
    return [...this.#people];
  }

  get isFull() {
    return this.#people.length >= this.#most;
  }

  /** Choose a person, once; returns whether this changes anything. */
  add({ username, name }) {
    if (this.isFull || !username || this.#has(username)) return false;
    this.#people.push({ username, name });
    return true;
  }

  /** Choose the people of a text with usernames, as the field without scripts takes it. */
  addAll(text) {
    for (const username of namesIn(text)) this.add({ username, name: username });
  }

  /** Remove the person at a place; returns the person. */
  remove(place) {
    return this.#people.splice(place, 1)[0];
  }

  /** Remove the person who was chosen last; returns the person. */
  removeLast() {
    return this.#people.pop();
  }

  /** Those of the found people who can still be chosen. */
  choicesFrom(found) {
    return this.isFull ? [] : found.filter(({ username }) => username !== this.#user && !this.#has(username));
  }

  /** The text for the server; `typed` is a name that was typed and not chosen. The server says what is wrong with it. */
  textWith(typed) {
    return [...this.#people.map(({ username }) => username), ...namesIn(typed)].join(", ");
  }

  #has(username) {
    return this.#people.some((person) => person.username.toLowerCase() === username.toLowerCase());
  }
}

/** The usernames in a text: separated by commas, semicolons or spaces. Must match `names_in` in chatroom/web/rooms/rooms.py. */
function namesIn(text) {
  return text.split(/[,;\s]+/).map((name) => name.replace(/^@/, "")).filter(Boolean);
}
