import assert from "node:assert/strict";
import { test } from "node:test";

import { findCovered } from "../../static/views/kit/keyboard.js";

const covered = (innerHeight, height, scale = 1) => findCovered({ innerHeight, visualViewport: { height, scale } });

test("a keyboard that lies over the page covers the difference of the two viewports", () => {
  assert.equal(covered(780, 780), 0);
  assert.equal(covered(780, 443.6), 336);
});

test("a browser that makes the page smaller covers nothing, and neither does a page enlarged by fingers", () => {
  assert.equal(covered(444, 444), 0);
  assert.equal(covered(444, 444.4), 0);
  assert.equal(covered(780, 390, 2), 0);
});
