"""How the page feels, by what can be counted: nothing moves by itself, and scrolling is cheap however much is loaded.

Frames a second are not asserted: they measure the machine. What a frame costs the page's own thread is its own doing,
and is compared with what it costs where little is loaded.
"""

import pytest
from playwright.sync_api import expect

from tests.browser.steps import make_room, open_room, say_many, still, token_of
from tests.pictures import make_picture

THOUSAND = 1000
FRAMES = 120
FRAMES_OF_FEW = 30
MOST_SHIFTED = 0.01
"""Of all the page: a room with news goes up in the list, the pill counts. In the log it is nothing at all."""
MOST_LAYOUTS = FRAMES // 10
MOST_TIMES = 5
SLACK_MILLISECONDS = 2.0
"""Of the processor, for the scripts, styles and layout of a frame, which has 16.7; it was 0.4 when this was written."""

WATCH = """
window.shifts = [];
window.takeShifts = () => {
  take(watch.takeRecords());
  return window.shifts;
};
const describe = (node) => {
  const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
  return `${element?.closest("[data-log]") ? "log" : "page"}: ${element?.className ?? ""}`;
};
const take = (entries) => {
  for (const { value, hadRecentInput, sources } of entries)
    if (!hadRecentInput) window.shifts.push({ value, nodes: sources.map(({ node }) => describe(node)) });
};
const watch = new PerformanceObserver((list) => take(list.getEntries()));
watch.observe({ type: "layout-shift", buffered: true });
"""
GO_UP = """(pixels) => {
  const log = document.querySelector("[data-log]");
  log.scrollTop = log.scrollHeight - log.clientHeight - pixels;
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
}"""


def assert_still(page):
    """Nothing that is read has moved without being asked to, since the page was opened."""
    still(page)
    shifts = page.evaluate("window.takeShifts()")
    assert [each for each in shifts if any(node.startswith("log") for node in each["nodes"])] == []
    assert sum(each["value"] for each in shifts) < MOST_SHIFTED, shifts


def chatter(count):
    return [f"{n} {'some words of different length ' * (1 + n % 7)}" for n in range(count)]


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
    say_many(bob, slug, chatter(50))
    say_with_picture(bob, slug, "before", (1200, 800))
    alice.page.add_init_script(WATCH)
    open_room(alice, slug).sees("before")
    if where == "above":
        still(alice.page)
        alice.page.locator("[data-log]").evaluate("(log) => { log.scrollTop -= 900; }")
        expect(alice.page.get_by_role("button", name="Go to the newest")).to_be_visible()
    for number, size in enumerate([(640, 480), (480, 900), (1600, 700)]):
        say_many(bob, slug, chatter(20))
        say_with_picture(bob, slug, f"picture {number}", size)
    alice.message("picture 2").wait_for()
    if where == "at the end":
        shown = alice.message("picture 2").locator("img")
        expect(shown).to_be_in_viewport()
        expect(shown).to_have_js_property("complete", True)
    assert_still(alice.page)


def test_the_messages_of_a_page_that_is_still_arriving_are_not_shown(person):
    """They would move with each piece of the page. The composer is the last piece that moves them."""
    alice = person("Alice")
    log = alice.page.locator("[data-log]")
    expect(log).to_be_visible()
    alice.page.locator("[data-composer-area]").evaluate("(area) => area.remove()")
    expect(log).to_be_hidden()


def test_the_log_keeps_its_place_while_the_composer_grows_and_shrinks(person, anything):
    """At the end, its last message stays in view; above, nothing moves. A text is also replaced by another long one."""
    alice = person("Alice")
    page, slug, last = alice.page, make_room(alice, anything("Growing")), anything("last")
    say_many(alice, slug, [*chatter(30), last])
    open_room(alice, slug)
    field, log = page.get_by_label("Message", exact=True), page.locator("[data-log]")
    texts = ["\n".join(map(str, range(lines))) for lines in (20, 30, 1, 20)]
    for text in texts:
        field.fill(text)
        still(page)
        expect(alice.message(last)).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Bold").click()
    still(page)
    expect(alice.message(last)).to_be_in_viewport(ratio=1)
    assert field.evaluate("(field) => field.scrollHeight > field.clientHeight && field.clientHeight <= innerHeight / 3")
    log.evaluate("(log) => { log.scrollTop = 200; }")
    expect(page.get_by_role("button", name="Go to the newest")).to_be_visible()
    for text in texts:
        field.fill(text)
        still(page)
        assert log.evaluate("(log) => log.scrollTop") == 200


def test_scrolling_a_thousand_messages_lays_nothing_out(person, anything):
    """All of them are in the page at once, pictures among them."""
    alice = person("Alice", service_workers="block")
    slug = make_room(alice, anything("Thousand"))
    page = alice.page
    say_many(alice, slug, chatter(THOUSAND))
    for number in range(8):
        say_with_picture(alice, slug, f"picture {number}", (800, 600))
    open_room(alice, slug)
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable", {"timeDomain": "threadTicks"})  # the processor's time, not the clock's
    for _ in range(2):  # what is done once is done in the first
        page.evaluate(GO_UP, 60 * FRAMES_OF_FEW)
        few = scroll(page, cdp, FRAMES_OF_FEW)
    page.evaluate(LOAD_ALL)
    assert page.locator("[data-messages] [data-message]").count() >= THOUSAND
    still(page)
    page.evaluate(SCROLL, [-100_000, 2])
    page.evaluate(SCROLL, [60, 10])
    many = scroll(page, cdp, FRAMES)
    assert page.locator("[data-log]").evaluate("(log) => log.scrollTop") > 50 * FRAMES
    assert many["LayoutCount"] <= MOST_LAYOUTS, many
    assert work(many, FRAMES) < MOST_TIMES * work(few, FRAMES_OF_FEW) + SLACK_MILLISECONDS, (few, many)


def scroll(page, cdp, frames):
    """Scroll down for so many frames, and return what that cost."""
    before = metrics(cdp)
    page.evaluate(SCROLL, [60, frames])
    after = metrics(cdp)
    return {name: after[name] - before[name] for name in after}


def work(spent, frames):
    """Milliseconds for a frame."""
    return 1000 * (spent["ScriptDuration"] + spent["LayoutDuration"] + spent["RecalcStyleDuration"]) / frames


def metrics(cdp):
    names = {"LayoutCount", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"}
    found = cdp.send("Performance.getMetrics")["metrics"]
    return {each["name"]: each["value"] for each in found if each["name"] in names}
