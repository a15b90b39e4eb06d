import assert from "node:assert/strict";
import { test } from "node:test";
import { endingOf, factsOf, findKind, fitFrame, shownOf, splitName, urlOf, viewOf } from "../../static/views/files/files.js";

// The same cases as in tests/unit/web/files/test_shown.py.
test("a file is shown by its kind", () => {
  assert.equal(findKind({ type: "image/png", width: 5 }), "picture");
  assert.equal(findKind({ type: "image/png" }), "card");
  assert.equal(findKind({ type: "video/mp4" }), "video");
  assert.equal(findKind({ type: "audio/mpeg" }), "audio");
  assert.equal(findKind({ type: "audio/amr" }), "card");
  assert.equal(findKind({ type: "application/pdf" }), "card");
});

test("a picture keeps its aspect ratio and is never enlarged", () => {
  assert.deepEqual(fitFrame({ width: 100, height: 50 }), [100, 50]);
  assert.deepEqual(fitFrame({ width: 4000, height: 3000 }), [360, 270]);
  assert.deepEqual(fitFrame({ width: 300, height: 3000 }), [27, 270]);
  assert.deepEqual(fitFrame({ width: 50_000, height: 10 }), [360, 1]);
});

test("a small animation moves in a message", () => {
  const file = { id: "1", name: "a", size: 1 };
  assert.equal(shownOf({ ...file, type: "image/gif" }), "/files/1/a");
  for (const type of ["image/webp", "image/png"]) {
    assert.equal(shownOf({ ...file, type, is_animated: true }), "/files/1/a");
    assert.equal(shownOf({ ...file, type, is_animated: true, size: 3_000_001 }), "/files/1/thumbnail");
    assert.equal(shownOf({ ...file, type }), "/files/1/thumbnail");
  }
});

test("a view picture is shown instead of the file", () => {
  const file = { id: "1", name: "a", type: "image/heic", size: 1, width: 40, height: 30, has_view: true };
  assert.deepEqual([findKind(file), viewOf(file), shownOf(file)], ["picture", "/files/1/view", "/files/1/thumbnail"]);
  assert.equal(viewOf({ id: "1", name: "a", type: "image/png" }), "/files/1/a");
  assert.equal(findKind({ type: "image/heic" }), "card");
});

test("a PDF with pages is a document", () => {
  assert.equal(findKind({ type: "application/pdf", pages: 3 }), "document");
  assert.deepEqual([undefined, 1, 3].map((pages) => factsOf({ size: 2000, pages })), ["2.0 kB", "1 page · 2.0 kB", "3 pages · 2.0 kB"]);
});

test("a card shows the file's extension", () => {
  assert.deepEqual(["a.pdf", "a.tar.gz", "README", "a.markdown"].map((name) => endingOf({ name })), ["PDF", "GZ", "FILE", "FILE"]);
});

test("the ending of a name stays visible", () => {
  const names = ["a.pdf", "a.tar.gz", ".gitignore", "README", "קובץ.docx", "a. Chapter one", "v1.2.3.tar.xz", "x.exe.pdf", ".env.local", "日.拡張子"];
  assert.deepEqual(names.map(splitName), [
    ["a", ".pdf"],
    ["a", ".tar.gz"],
    [".gitignore", ""],
    ["README", ""],
    ["קובץ", ".docx"],
    ["a. Chapter one", ""],
    ["v1.2.3", ".tar.xz"],
    ["x.exe", ".pdf"],
    [".env", ".local"],
    ["日", ".拡張子"],
  ]);
});

test("a name in an address is escaped", () => {
  assert.equal(urlOf({ id: "1", name: "a b%?#.txt" }), "/files/1/a%20b%25%3F%23.txt");
});
