/* The open room: passes the frames of its connection to each part of the page, in a fixed order. It does not use the DOM itself.

   The timeline comes first, because every part shows what the timeline holds. */

export class OpenRoom {
  #room;
  #user;
  #timeline;
  #quotes;
  #connection;
  #drafts;
  #following;
  #notifications;
  #views;
  #isFresh = true; // the server has just rendered the page
  #takes;

  /** `views`: `reader`, `writing`, `editor`, `actions`, `pins`, `people`, `room`, `cases` and `state`, each called for what concerns it. */
  constructor({ page, timeline, quotes, connection, drafts, following, notifications, views }) {
    this.#room = page.room;
    this.#user = page.user;
    this.#timeline = timeline;
    this.#quotes = quotes;
    this.#connection = connection;
    this.#drafts = drafts;
    this.#following = following;
    this.#notifications = notifications;
    this.#views = views;
    this.#takes = {
      presence: (frame) => views.people.apply(frame),
      room: (frame) => views.room.apply(frame),
      mute: (frame) => views.room.mute(frame),
      approval: () => drafts.held.read(),
      cases: () => views.cases.renew(),
      changes: (frame, details) => this.#takeChanges(frame, details),
    };
  }

  /** Handle a frame of any room; `isMissed`: it happened while there was no connection. */
  receive(frame, details) {
    this.#following.receive(frame);
    this.#notifications.receive(frame);
    if (frame.room && frame.room !== this.#room.slug) return;
    this.#takes[frame.type]?.(frame, details);
  }

  /** The connection has this state now. */
  connected(state) {
    const { room, writing, editor } = this.#views;
    this.#views.state.show(state);
    this.#following.connected(state.name);
    this.#readHeld(state.name);
    if (state.name === "closed") room.close(state.message);
    writing.show();
    if (!this.#connection.canSend) return;
    this.#drafts.resume();
    editor.resume();
  }

  /** Update the screen from the state. */
  show() {
    const { reader, writing } = this.#views;
    reader.show(() => writing.show());
  }

  renewQuotes() {
    this.#views.reader.renewQuotes();
    this.#views.writing.renewAnswer();
  }

  #takeChanges({ messages, revision }, details) {
    const { reader, pins, actions } = this.#views;
    const { cursor } = this.#timeline;
    const arrived = this.#timeline.applyChanges({ messages, revision });
    const edited = messages.filter((message) => message.new_mentions && message.revision > cursor && !arrived.includes(message));
    this.#quotes.take(messages);
    this.#confirmOwn(messages);
    this.#notifications.take(this.#room, [...arrived, ...edited]);
    reader.take(arrived, details);
    this.show();
    pins.take(messages);
    this.renewQuotes();
    actions.renew();
  }

  #confirmOwn(messages) {
    for (const { client_id, author, sent_at } of messages) {
      if (!client_id || author.id !== this.#user.id) continue;
      this.#drafts.confirm(client_id);
      const wait = this.#views.room.waitAfter(sent_at);
      if (wait) this.#views.writing.countDown(wait);
    }
  }

  /** Held messages have no cursor, so they are read again after a gap, unless the page is new and has none. */
  #readHeld(name) {
    if (name === "connecting" || name === "catching_up") return;
    if (name === "live" && !this.#isFresh) this.#views.cases.catchUp();
    const isNews = !this.#isFresh || !this.#drafts.held.isEmpty;
    this.#isFresh = false;
    if (name === "live" && isNews) this.#drafts.held.read();
  }
}
