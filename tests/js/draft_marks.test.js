import assert from "node:assert/strict";
import { test } from "node:test";

import { Outbox, Unsent } from "../../static/state/messages/outbox.js";
import { DraftMarks } from "../../static/state/rooms/draft_marks.js";
import { FakeStorage } from "./fakes.js";

const own = (storage, room) => ({ storage, userId: "ann", room });
const read = (storage) => [...new DraftMarks({ storage, userId: "ann", open: "lobby" }).read()].sort();

test("rooms with a text, a file or a waiting message have a draft, until it is sent or emptied", () => {
  const storage = new FakeStorage();
  const text = new Unsent(own(storage, "den"));
  const file = new Unsent(own(storage, "attic"));
  const outbox = new Outbox({ ...own(storage, "hall"), tab: "one", now: () => 1, makeId: () => "a1" });
  text.text = "almost";
  file.files = [{ id: "f1" }];
  outbox.add("later");
  assert.deepEqual(read(storage), ["attic", "den", "hall"]);
  text.text = "";
  file.files = [];
  outbox.remove("a1");
  assert.deepEqual(read(storage), []);
});

test("the open room and other accounts are not marked", () => {
  const storage = new FakeStorage();
  new Unsent(own(storage, "lobby")).text = "in view";
  new Unsent({ ...own(storage, "den"), userId: "ben" }).text = "not yours";
  storage.setItem("chatroom:sound", "on");
  assert.deepEqual(read(storage), []);
});

test("keys of drafts concern the marks, others do not", () => {
  const marks = new DraftMarks({ storage: new FakeStorage(), userId: "ann", open: "lobby" });
  const keys = ["chatroom:draft:ann:den", "chatroom:outbox:ann:den:a1", null, "chatroom:draft:ben:den", "chatroom:sound"];
  assert.deepEqual(keys.map((key) => marks.isConcerned(key)), [true, true, true, false, false]);
});

test("where storage is forbidden, nothing is marked", () => {
  assert.deepEqual(read(undefined), []);
});
