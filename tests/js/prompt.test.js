import assert from "node:assert/strict";
import { test } from "node:test";

import { Prompt } from "../../static/state/outbound/prompt.js";
import { FakeStorage } from "./fakes.js";

function make({ permission = "default", storage = new FakeStorage() } = {}) {
  const asked = [];
  return { asked, storage, prompt: new Prompt({ permission: () => permission, storage, onAsk: () => asked.push(1) }) };
}

test("the room asks after the first message that concerns the reader, once", () => {
  const { prompt, asked } = make();
  assert.deepEqual(asked, []);
  prompt.concern();
  prompt.concern();
  assert.deepEqual(asked, [1]);
});

test("after an answer the room never asks again in this browser", () => {
  const { prompt, storage } = make();
  prompt.concern();
  prompt.answer();
  const later = make({ storage });
  later.prompt.concern();
  assert.deepEqual(later.asked, []);
});

test("nobody is asked who has decided already, or whose browser shows no notifications or keeps no answers", () => {
  for (const more of [{ permission: "granted" }, { permission: "denied" }, { permission: null }, { storage: null }]) {
    const { prompt, asked } = make(more);
    prompt.concern();
    assert.deepEqual(asked, [], JSON.stringify(more));
  }
});
