import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { splitAtAddresses } from "../../static/state/kit/links.js";

const CASES = JSON.parse(readFileSync(new URL("../corpus/topics.json", import.meta.url), "utf8"));

test("addresses in a topic are found as the server finds them", () => {
  for (const [text, pieces] of CASES) {
    const found = splitAtAddresses(text);
    assert.deepEqual(found.map((piece) => piece.text), pieces);
    assert.deepEqual(found.filter(({ isAddress }) => isAddress).map((piece) => piece.text), pieces.filter((_, at) => at % 2));
  }
});
