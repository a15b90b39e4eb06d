"""How the page feels, by what can be counted: nothing moves by itself, and scrolling is cheap however much is loaded.

Frames a second are not asserted: they measure the machine. What a frame costs the page's own thread is its own doing.
"""

import pytest
from playwright.sync_api import expect

from tests.browser.test_sidebar import make_room, token_of
from tests.pictures import make_picture

THOUSAND = 1000
FRAMES = 120
MOST_SHIFTED = 0.01
"""Of all the page: a room with news goes up in the list, the pill counts. In the log it is nothing at all."""
MOST_LAYOUTS = FRAMES // 10
MOST_MILLISECONDS = 8.0
"""Of scripts, styles and layout for a frame, of the 16.7 that it has; there it was 0.4 when this was written."""

WATCH = """
window.shifts = [];
const describe = (node) => {
  const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
  return `${element?.closest("[data-log]") ? "log" : "page"}: ${element?.className ?? ""}`;
};
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, sources } of list.getEntries())
    if (!hadRecentInput) window.shifts.push({ value, nodes: sources.map(({ node }) => describe(node)) });
}).observe({ type: "layout-shift", buffered: true });
"""
POST = """async ([url, token, count]) => {
  for (let n = 0; n < count; n += 50)
    await Promise.all(Array.from({ length: 50 }, (_, k) => fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ text: `${n + k} ${"some words of different length ".repeat(1 + (k % 7))}` }),
    }).then((answer) => { if (!answer.ok) throw new Error(answer.status); })));
}"""
LOAD_ALL = """async () => {
  while (!document.querySelector("[data-older]").hidden) {
    document.querySelector("[data-log]").scrollTop = 0;
    await new Promise(requestAnimationFrame);
  }
}"""
SCROLL = """async ([step, frames]) => {
  const log = document.querySelector("[data-log]");
  for (let n = 0; n < frames; n += 1) {
    await new Promise(requestAnimationFrame);
    log.scrollTop += step;
  }
  return log.scrollTop;
}"""


def assert_still(page):
    """Nothing that is read has moved without being asked to, since the page was opened."""
    shifts = page.evaluate("window.shifts")
    assert [each for each in shifts if any(node.startswith("log") for node in each["nodes"])] == []
    assert sum(each["value"] for each in shifts) < MOST_SHIFTED, shifts


def say_with_picture(somebody, slug, text, size):
    """A message with a picture, whose thumbnail others fetch when it comes."""
    headers = {"X-CSRFToken": token_of(somebody)}
    address = f"{somebody.url}/api/rooms/{slug}"
    content = make_picture("JPEG", size)
    kept = somebody.context.request.post(f"{address}/files?name=view.jpg", data=content, headers=headers)
    assert kept.status == 201, kept.text()
    sent = somebody.context.request.post(
        f"{address}/messages", data={"text": text, "files": [kept.json()["id"]]}, headers=headers
    )
    assert sent.status == 201, sent.text()


@pytest.mark.parametrize("where", ["at the end", "above"])
def test_nothing_moves_while_messages_and_pictures_arrive(person, anything, where):
    alice, bob = person("Alice"), person("Bob")
    slug = make_room(bob, anything("Stills"), alice)
    bob.page.goto(f"{bob.url}/chatroom/{slug}")
    bob.page.evaluate(POST, [f"/api/rooms/{slug}/messages", token_of(bob), 50])
    say_with_picture(bob, slug, "before", (1200, 800))
    alice.page.add_init_script(WATCH)
    alice.page.goto(f"{alice.url}/chatroom/{slug}")
    alice.await_state("Live")
    alice.sees("before")
    if where == "above":
        alice.page.locator("[data-log]").evaluate("(log) => { log.scrollTop -= 900; }")
        expect(alice.page.get_by_role("button", name="To the newest")).to_be_visible()
    for number, size in enumerate([(640, 480), (480, 900), (1600, 700)]):
        bob.page.evaluate(POST, [f"/api/rooms/{slug}/messages", token_of(bob), 50])
        say_with_picture(bob, slug, f"picture {number}", size)
    alice.message("picture 2").wait_for()
    if where == "at the end":
        shown = alice.message("picture 2").locator("img")
        expect(shown).to_be_in_viewport()
        expect(shown).to_have_js_property("complete", True)
    assert_still(alice.page)


def test_scrolling_a_thousand_messages_lays_nothing_out(person, anything):
    """All of them are in the page at once, pictures among them."""
    alice = person("Alice", service_workers="block")
    slug = make_room(alice, anything("Thousand"))
    page = alice.page
    page.evaluate(POST, [f"/api/rooms/{slug}/messages", token_of(alice), THOUSAND])
    for number in range(8):
        say_with_picture(alice, slug, f"picture {number}", (800, 600))
    page.goto(f"{alice.url}/chatroom/{slug}")
    alice.await_state("Live")
    page.evaluate(LOAD_ALL)
    assert page.locator("[data-messages] [data-message]").count() >= THOUSAND
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable")
    page.evaluate(SCROLL, [-100_000, 2])
    page.evaluate(SCROLL, [60, 10])  # what is done once is done
    before = metrics(cdp)
    assert page.evaluate(SCROLL, [60, FRAMES]) > 50 * FRAMES
    after = metrics(cdp)
    spent = {name: after[name] - before[name] for name in after}
    assert spent["LayoutCount"] <= MOST_LAYOUTS, spent
    worked = spent["ScriptDuration"] + spent["LayoutDuration"] + spent["RecalcStyleDuration"]
    assert 1000 * worked / FRAMES < MOST_MILLISECONDS, spent


def metrics(cdp):
    names = {"LayoutCount", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"}
    found = cdp.send("Performance.getMetrics")["metrics"]
    return {each["name"]: each["value"] for each in found if each["name"] in names}
