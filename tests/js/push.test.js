import assert from "node:assert/strict";
import { test } from "node:test";

import { subscribe } from "../../static/views/outbound/push.js";

for (const [permission, state] of [["denied", "denied"], ["default", "off"]]) {
  test(`notifications that are not granted (${permission}) are ${state}`, async (context) => {
    globalThis.Notification = { requestPermission: async () => permission };
    context.after(() => delete globalThis.Notification);
    assert.equal(await subscribe({}), state);
  });
}
