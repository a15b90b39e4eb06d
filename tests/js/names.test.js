import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { fold, hasPart } from "../../static/state/kit/names.js";

// Also read by tests/unit/names/test_parts.py.
const people = JSON.parse(readFileSync(new URL("../corpus/people.json", import.meta.url), "utf8"));

for (const { name, found } of people) {
  test(`${name} is found by each part of the name`, () => {
    for (const text of found) assert.ok(hasPart(name, text), text);
  });
}

test("other names are not found", () => {
  assert.ok(!hasPart("José Weaver", "weaver jose") && !hasPart("Müller", "miller") && !hasPart("田中太郎", "郎田"));
  assert.ok(hasPart("anybody", ""));
});

test("a folded text has no case, accents and apostrophes", () => {
  assert.equal(fold("Eva-Maria O’Neil"), "eva maria oneil");
  assert.equal(fold("ΑΛΈΞΗΣ"), "αλεξησ");
});
