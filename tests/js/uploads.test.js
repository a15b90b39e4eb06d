import assert from "node:assert/strict";
import { test } from "node:test";
import { Uploads } from "../../static/state/files/uploads.js";
import { settle } from "./fakes.js";

/** Uploads whose files are sent when the test says so. */
function open({ maxBytes = 1000, maxFiles = 4 } = {}) {
  const sent = [];
  const seen = { changes: 0 };
  let lastKey = 0;
  const uploads = new Uploads({
    send: (file, onProgress) => {
      const one = { file, onProgress, isAborted: false };
      const stored = new Promise((resolve, reject) => Object.assign(one, { resolve, reject }));
      sent.push(one);
      return {
        stored,
        abort: () => {
          one.isAborted = true;
          one.reject(new Error("Cancelled."));
        },
      };
    },
    makeKey: () => `k${(lastKey += 1)}`,
    maxBytes,
    maxFiles,
    onChange: () => {
      seen.changes += 1;
    },
  });
  return { uploads, sent, seen };
}

const file = (name, size = 10) => ({ name, size });
const states = (uploads) => uploads.items.map(({ state }) => state);

test("two files are sent at a time, the others in turn", async () => {
  const { uploads, sent } = open();
  assert.equal(uploads.add([file("a"), file("b"), file("c")]), "");
  assert.deepEqual(states(uploads), ["sending", "sending", "waiting"]);
  sent[1].resolve({ id: "2" });
  await settle();
  assert.deepEqual(states(uploads), ["sending", "done", "sending"]);
  assert.equal(uploads.isReady, false);
  sent[0].resolve({ id: "1" });
  sent[2].resolve({ id: "3" });
  await settle();
  assert.equal(uploads.isReady, true);
  assert.deepEqual(uploads.take(), [{ id: "1" }, { id: "2" }, { id: "3" }]); // in the order of choosing
  assert.equal(uploads.isEmpty, true);
});

test("the progress of each file is reported", () => {
  const { uploads, sent, seen } = open();
  uploads.add([file("a")]);
  const before = seen.changes;
  sent[0].onProgress(0.4);
  assert.equal(uploads.items[0].progress, 0.4);
  assert.equal(seen.changes, before + 1);
});

test("a failed file can be retried, and blocks the message until then", async () => {
  const { uploads, sent } = open();
  uploads.add([file("a")]);
  sent[0].reject(new Error("The server cannot be reached."));
  await settle();
  assert.equal(uploads.hasFailed, true);
  assert.equal(uploads.isReady, false);
  assert.equal(uploads.items[0].problem, "The server cannot be reached.");
  uploads.retry("k1");
  assert.deepEqual(states(uploads), ["sending"]);
  sent[1].resolve({ id: "1" });
  await settle();
  assert.deepEqual(uploads.stored, [{ id: "1" }]);
});

test("a cancelled file is replaced by the next, and is not a failure", async () => {
  const { uploads, sent } = open();
  uploads.add([file("a"), file("b"), file("c")]);
  uploads.remove("k1");
  await settle();
  assert.equal(sent[0].isAborted, true);
  assert.deepEqual(states(uploads), ["sending", "sending"]);
  assert.deepEqual(uploads.items.map(({ name }) => name), ["b", "c"]);
  uploads.remove("nothing");
  uploads.retry("k2");
  assert.deepEqual(states(uploads), ["sending", "sending"]);
});

test("invalid files are reported at once, and the others are sent", () => {
  const { uploads } = open({ maxFiles: 2 });
  assert.match(uploads.add([file("big", 1001)]), /^big is too large: at most 1.0 kB are allowed\.$/);
  assert.equal(uploads.add([file("a"), file("b"), file("c"), file("d")]), "A message has at most 2 files. 2 files were not attached.");
  assert.equal(uploads.add([file("e")]), "A message has at most 2 files. One file was not attached.");
  assert.deepEqual(uploads.items.map(({ name }) => name), ["a", "b"]);
});

test("an empty file is sent, and a file that is chosen twice is sent twice", () => {
  const { uploads, sent } = open();
  assert.equal(uploads.add([file(".gitkeep", 0), file("a"), file("a")]), "");
  assert.deepEqual(uploads.items.map(({ name }) => name), [".gitkeep", "a", "a"]);
  assert.equal(sent.length, 2);
});

test("a limit of 0 means no limit", () => {
  const { uploads } = open({ maxBytes: 0, maxFiles: 0 });
  assert.equal(uploads.add(Array.from({ length: 30 }, (_, n) => file(`f${n}`, 1e9))), "");
});

test("uploaded files survive a reload", () => {
  const { uploads, sent } = open();
  uploads.restore([{ id: "1", name: "a.jpg", size: 5 }]);
  assert.deepEqual(states(uploads), ["done"]);
  assert.equal(uploads.isReady, true);
  assert.equal(sent.length, 0);
  assert.deepEqual(uploads.take(), [{ id: "1", name: "a.jpg", size: 5 }]);
});
