import assert from "node:assert/strict";
import { test } from "node:test";
import { DELETED, excerptOf, GONE, Quotes } from "../../static/state/messages/quotes.js";
import { plainText } from "../../static/state/kit/text.js";
import { Timeline } from "../../static/state/messages/timeline.js";
import { ALICE, BOB, message, messages, settle, unreachable } from "./fakes.js";

function setUp(found = []) {
  const timeline = new Timeline({ user: ALICE });
  timeline.reset({ messages: messages(10, 12), revision: 12, hasOlder: true });
  const seen = { asked: [], found: 0 };
  const api = {
    readSequences: async (sequences) => {
      seen.asked.push(sequences);
      return { messages: typeof found === "function" ? found() : found };
    },
  };
  const quotes = new Quotes({ timeline, api, onFound: () => (seen.found += 1) });
  return { timeline, quotes, seen };
}

test("loaded messages are quoted without a request", async () => {
  const { timeline, quotes, seen } = setUp();
  assert.deepEqual(quotes.describe(11), { author: BOB, text: "11" });
  timeline.applyChanges({ revision: 13, messages: [message(11, { revision: 13, html: "<p>new</p>" })] });
  assert.equal(quotes.describe(11).text, "new");
  await settle();
  assert.deepEqual(seen.asked, []);
});

test("missing messages are requested once, together", async () => {
  const { quotes, seen } = setUp([message(3), message(4)]);
  for (const sequence of [3, 4, 3, 5]) assert.deepEqual(quotes.describe(sequence), {});
  await settle();
  assert.deepEqual(seen, { asked: [[3, 4, 5]], found: 1 });
  assert.equal(quotes.describe(3).text, "3");
  assert.deepEqual(quotes.describe(5), { text: GONE });
  await settle();
  assert.equal(seen.asked.length, 1);
});

test("a quote of an unloaded message changes with it", async () => {
  const { quotes } = setUp([message(3)]);
  quotes.describe(3);
  await settle();
  quotes.take([message(3, { revision: 20, html: undefined, deleted_at: "2026-11-21T12:00:00Z" }), message(4)]);
  assert.equal(quotes.describe(3).text, DELETED);
  quotes.take([message(3, { revision: 5 })]);
  assert.equal(quotes.describe(3).text, DELETED, "an older state changes nothing");
});

test("a failed request is repeated the next time", async () => {
  const { quotes, seen } = setUp(unreachable);
  quotes.describe(3);
  await settle();
  quotes.describe(3);
  await settle();
  assert.equal(seen.asked.length, 2);
  assert.equal(seen.found, 0);
});

test("a message in one line", () => {
  assert.equal(excerptOf({ text: " a\nb " }), "a\nb");
  assert.equal(excerptOf({ html: "", files: [{ name: "plan.pdf" }] }), "plan.pdf");
  assert.equal(excerptOf({ html: `<p>${"x".repeat(500)}</p>` }), `${"x".repeat(200)}…`);
  assert.equal(excerptOf({ html: `<p>${"😀".repeat(200)}</p>` }), "😀".repeat(200), "as many characters as in Python");
  assert.equal(excerptOf({ html: `<p>${"😀".repeat(201)}</p>` }), `${"😀".repeat(200)}…`);
});

test("the text of HTML", () => {
  assert.equal(plainText("<p>1 &lt; 2 &amp; <b>3</b></p>\n<p>4&nbsp;5</p>"), "1 < 2 & 3 4 5");
  assert.equal(plainText('<a href="x" title="a > b">c</a>'), "c");
  assert.equal(plainText('<p>a &lt;b&gt; &amp;amp; <em>c</em><br>\nd&#39;</p>\n<p>"e"</p>'), `a <b> &amp; c d' "e"`);
  assert.equal(plainText(""), "");
  const formula = '<math display="inline"><mrow>\n<mi>x</mi></mrow></math><span aria-hidden="true">$x$</span>';
  assert.equal(plainText(`<p>so <span class="formula">${formula}</span> is</p>`), "so $x$ is");
  assert.equal(plainText("&amp;lt;b&amp;gt; &unknown; &#128512;"), "&lt;b&gt; &unknown; 😀");
});
