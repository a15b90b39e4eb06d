import assert from "node:assert/strict";
import { test } from "node:test";

import { Recipients } from "../../static/state/rooms/recipients.js";

const BOB = { id: "2", username: "bob", name: "Bob" };
const CAROL = { id: "3", username: "carol", name: "Carol" };
const ME = { id: "1", username: "alice", name: "Alice" };

const make = (most = 3) => new Recipients({ user: "alice", most });

test("people are chosen once, and the last one is removed first", () => {
  const recipients = make();
  assert.deepEqual([BOB, CAROL, { ...BOB, username: "BOB" }].map((person) => recipients.add(person)), [true, true, false]);
  assert.equal(recipients.textWith(""), "bob, carol");
  assert.equal(recipients.removeLast().name, "Carol");
  assert.equal(recipients.remove(0).name, "Bob");
  assert.equal(recipients.removeLast(), undefined);
  assert.equal(recipients.textWith(""), "");
});

test("oneself and those who are chosen are not suggested, and nobody when there is no more place", () => {
  const recipients = make(2);
  recipients.add(BOB);
  assert.deepEqual(recipients.choicesFrom([ME, BOB, CAROL]), [CAROL]);
  recipients.add(CAROL);
  assert.equal(recipients.isFull, true);
  assert.equal(recipients.add({ username: "dan", name: "Dan" }), false);
  assert.deepEqual(recipients.choicesFrom([{ id: "4", username: "dan", name: "Dan" }]), []);
});

test("a refused text is shown as chips again, and a name that is only typed is sent too", () => {
  const recipients = make();
  recipients.addAll("@bob, carol;bob");
  assert.deepEqual(recipients.people.map(({ name }) => name), ["bob", "carol"]);
  assert.equal(recipients.textWith(" @dan "), "bob, carol, dan");
});
