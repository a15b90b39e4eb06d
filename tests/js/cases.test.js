import assert from "node:assert/strict";
import { test } from "node:test";
import { Cases, PAUSE_MS, sayHeld, withCases } from "../../static/state/people/cases.js";
import { FakeClock, settle } from "./fakes.js";

function setUp(...answers) {
  const clock = new FakeClock();
  const shown = [];
  let reads = 0;
  const read = async () => {
    reads += 1;
    return answers.shift() ?? null;
  };
  const cases = new Cases({ read, clock, onChange: (numbers) => shown.push(numbers) });
  return { cases, clock, shown, reads: () => reads };
}

test("many changes at once are two reads", async () => {
  const { cases, clock, shown, reads } = setUp({ reports: 1, held: 0 }, { reports: 1, held: 7 });
  for (let number = 0; number < 8; number += 1) cases.renew();
  await settle();
  assert.deepEqual(shown, [{ reports: 1, held: 0 }]);
  await clock.pass(PAUSE_MS);
  assert.deepEqual(shown[1], { reports: 1, held: 7 });
  await clock.pass(PAUSE_MS);
  assert.equal(reads(), 2, "and no more without a change");
});

test("a failed read changes nothing", async () => {
  const { cases, shown } = setUp();
  await cases.renew();
  assert.deepEqual(shown, []);
});

test("the title has the number, behind the mark of unread messages", () => {
  assert.equal(withCases("Lobby – Chatroom", 3), "⚑ 3 – Lobby – Chatroom");
  assert.equal(withCases("(2) ⚑ 3 – Lobby – Chatroom", 4), "(2) ⚑ 4 – Lobby – Chatroom");
  assert.equal(withCases("• ⚑ 99+ – Lobby – Chatroom", 0), "• Lobby – Chatroom");
  assert.equal(withCases("(99+) Lobby – Chatroom", 150), "(99+) ⚑ 99+ – Lobby – Chatroom");
  assert.equal(withCases("(Team) Lobby – Chatroom", 1), "⚑ 1 – (Team) Lobby – Chatroom");
});

test("the sentence above the messages", () => {
  assert.equal(sayHeld(1), "1 message is waiting for approval.");
  assert.equal(sayHeld(2), "2 messages are waiting for approval.");
  assert.equal(sayHeld(100), "100 or more messages are waiting for approval.");
});
