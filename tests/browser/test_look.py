"""The look, by what can be measured: accessibility, widths, keyboards, and texts that try to break out."""

import itertools
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.cast import PASSWORD, ROOT, skip
from tests.browser.steps import COLOURS, PHONE, make_room, open_room, say, say_many, send, still, token_of
from tests.browser.targets import small_targets
from tools.rendered_pages import render

NARROW = {"viewport": {"width": 320, "height": 600}}
PAGES = ["/", "/register", "/login", "/chatroom", "/account", "/nowhere", "/chatroom/lobby?before=1000000"]
OTHER_PAGES = [
    "/account/profile",
    "/account/status",
    "/account/tokens",
    "/account/notifications",
    "/rooms",
    "/rooms/new",
    "/rooms/lobby/arrange",
    *(f"/rooms/lobby/{tab}" for tab in ("about", "members", "invites", "general", "rules", "record", "danger")),
    "/people",
    "/later",
    "/search",
    "/search?q=once",
    "/search?q=before:never",
    "/chatroom/lobby/webhooks",
    "/chatroom/lobby/export",
    "/chatroom/lobby/clear",
    "/reports",
    "/admin",
    "/admin/people",
    "/admin/rooms",
    "/admin/joining",
    "/admin/audit",
    "/api/docs",
    "/static/offline.html",
]
"""With no script that makes them: once is enough."""
REFERENCE = {"/api/docs"}
"""Lists of links in the lines of a text, for developers at a desk."""
SHORTEN = """() => {
  for (const card of document.querySelectorAll("main .card:nth-of-type(n + 9)")) card.remove();
}"""
"""The cards of the reference are alike, and axe takes ten seconds for all of them."""
ANONYMOUS = {"/", "/register", "/login"}
SCRIPTED = {"/chatroom"}
"""What can be wrong in one scheme of colours and right in the other."""
RICH = """A list:

- one `code`
- two **strong** https://example.org/a/rather/long/link

> a quote

$x^2$ and a long formula:
$$x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a} + 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10 + 11 + 12 + 13 + 14 + 15 + 16$$

```
a block of code that is wide enough to be scrolled on a telephone, and on most other things that have a screen
```
"""


@pytest.fixture(scope="session")
def axe():
    """The script of axe-core, which finds what stands in the way of people with disabilities."""
    try:
        import axe_playwright_python
    except ImportError:
        skip("axe-core is missing: pip install -r requirements-dev.txt")
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")


def find_faults(page, axe, rules=None):
    still(page)
    page.evaluate(axe)
    options = {"resultTypes": ["violations"], **(rules or {})}
    faults = page.evaluate("(options) => axe.run(document, options).then((result) => result.violations)", options)
    return [(fault["id"], [node["html"][:200] for node in fault["nodes"]]) for fault in faults]


def find_faults_in_both_schemes(page, axe):
    """All of them in light colours, and those that dark ones may bring."""
    page.emulate_media(color_scheme="light")
    faults = find_faults(page, axe)
    page.emulate_media(color_scheme="dark")
    return faults + find_faults(page, axe, COLOURS)


def without_refresh(route):
    response = route.fetch()
    route.fulfill(response=response, body=re.sub(r'<meta http-equiv="refresh"[^>]*>', "", response.text()))


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(person, axe, anything, options):
    # The security policy keeps even this script out; only here it is let in.
    options = {"bypass_csp": True, "service_workers": "block", **options}
    alice, bob = person("Alice", **options), person("Bob")
    bob.post(RICH, anything("once"), anything("again"))
    say_many(bob, "lobby", (anything(f"m{number}") for number in range(60)))  # so that there are older messages
    visitor = person("Visitor", is_registered=False, **options)
    for path in PAGES:
        somebody = visitor if path in ANONYMOUS else alice
        somebody.page.goto(f"{alice.url}{path}")
        if path in SCRIPTED:
            somebody.await_state("Live")
        assert find_faults_in_both_schemes(somebody.page, axe) == [], path
        assert small_targets(somebody.page) == [], path
    # The frame reloads itself, which is what it is for where there is no script; while it is looked at, it must not.
    alice.page.route("**/chatroom/lobby/messages", without_refresh)
    alice.page.goto(f"{alice.url}/chatroom/lobby/messages")
    expect(alice.page.locator("meta[http-equiv=refresh]")).to_have_count(0)
    assert find_faults_in_both_schemes(alice.page, axe) == []


@pytest.mark.parametrize(("scheme", "options"), [("light", {}), ("dark", PHONE)], ids=["desktop", "phone"])
def test_axe_finds_nothing_on_the_other_pages_and_none_is_too_wide(person, own_server, axe, scheme, options):
    """As the administrator, who sees the most of each; with somebody, something said and something reported."""
    alice = person("Alice", at=own_server, color_scheme=scheme, bypass_csp=True, **options)
    bob = person("Bob", at=own_server)
    bob.post("once", RICH)
    bob.sees("once")
    spoken = bob.message("once").get_attribute("data-sequence")
    author = bob.message("once").get_attribute("data-author")
    page = alice.page
    page.goto(f"{alice.url}/chatroom/lobby/{spoken}/report")
    assert find_faults(page, axe) == [], "report"
    page.get_by_label("What is wrong with it?").fill("Twice would be better.")
    page.get_by_role("button", name="Report").click()
    expect(page.get_by_text("You have reported this message.")).to_be_visible()
    address = f"{bob.url}/api/rooms/lobby/messages/{bob.message('once').get_attribute('data-id')}"
    bob.context.request.patch(address, data={"text": "twice"}, headers={"X-CSRFToken": token_of(bob)})
    for path in [*OTHER_PAGES, f"/people/{author}", f"/chatroom/lobby/{spoken}/changes"]:
        page.goto(f"{alice.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, path
        if path in REFERENCE:
            page.evaluate(SHORTEN)
        assert find_faults(page, axe) == [], path
        if path not in REFERENCE:
            assert small_targets(page) == [], path


@pytest.mark.long
def test_a_finger_hits_everything_on_every_page_without_scripts(browsers, tmp_path):
    names = render(tmp_path)
    context = browsers.new_context(**PHONE, java_script_enabled=False)
    folders = {"pages": tmp_path, "static": ROOT / "static"}

    def answer(route):
        first, _, path = urlsplit(route.request.url).path[1:].partition("/")
        route.fulfill(path=folders[first] / path) if first in folders else route.abort()

    context.route("**/*", answer)
    page = context.new_page()
    found = {}
    for file, name in names.items():
        page.goto(f"http://chat.test/pages/{file}")
        width = page.evaluate("document.documentElement.scrollWidth")
        small = [] if any(path in name for path in REFERENCE) else small_targets(page)
        if small or width > PHONE["viewport"]["width"]:
            found[name] = width, small
    context.close()
    assert found == {}


def test_axe_finds_nothing_in_forms_with_errors_and_pending_messages(person, axe):
    alice = person("Alice", bypass_csp=True)
    alice.context.set_offline(True)
    alice.await_state("Offline")
    alice.say("pending")
    alice.say(" ")
    expect(alice.page.locator("[data-pending] [data-message]")).to_contain_text("online again")
    expect(alice.page.get_by_role("alert")).to_contain_text("The message is empty")
    assert find_faults(alice.page, axe) == []
    alice.context.set_offline(False)
    visitor = person("Visitor", is_registered=False, bypass_csp=True)
    visitor.page.goto(f"{alice.url}/register")
    visitor.page.evaluate("document.querySelector('main form').noValidate = true")
    visitor.page.get_by_role("button", name="Register").click()
    expect(visitor.page.locator(".field__error").first).to_be_visible()
    assert find_faults(visitor.page, axe) == []


@pytest.mark.parametrize("options", [PHONE, NARROW], ids=["phone", "narrow"])
def test_nothing_is_wider_than_the_screen(person, anything, options):
    alice = person("Alexandrina Victoria", **options)
    alice.post(RICH, anything("W" * 300), anything("ok"))
    attic = make_room(alice, anything("Attic"))
    send(alice, f"/rooms/{attic}/archive", archived="yes", reason="Full")
    of_room = [f"/rooms/{attic}/{page}" for page in ("settings", "members", "arrange", "record")]
    for path in [*PAGES, *of_room, *(OTHER_PAGES if options is NARROW else [])]:
        alice.page.goto(f"{alice.url}{path}")
        if path in SCRIPTED:
            alice.await_state("Live")
        still(alice.page)
        overflow = alice.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, path
        if account := alice.page.locator(".account-button:visible").all():
            assert account[0].bounding_box()["width"] >= 40, path
    alice.enter()
    still(alice.page)
    log = alice.page.locator("[data-log]")
    assert log.evaluate("(log) => log.scrollWidth - log.clientWidth") <= 0
    for part in (alice.page.get_by_label("Message", exact=True), alice.page.get_by_role("button", name="Send message")):
        expect(part).to_be_in_viewport(ratio=1)


def test_on_a_phone_the_people_fold_away(person):
    alice = person("Alice", **PHONE)
    name = alice.page.locator("[data-people-list]").get_by_text(alice.name)
    expect(name).to_be_hidden()
    alice.page.get_by_role("button", name="Lobby").click()
    alice.page.get_by_role("button", name="Here now").click()
    expect(name).to_be_visible()
    for line in alice.page.locator("[data-people-list] > *").all():
        assert line.bounding_box()["height"] >= 40


def test_long_names_and_lists_are_cut_at_their_end(person):
    alice = person("Alexandrina Victoria")
    link = alice.page.locator("[data-people-list]").get_by_role("link", name=alice.name)
    assert link.evaluate("(link) => [link.scrollWidth > link.clientWidth, getComputedStyle(link).textOverflow]") == [
        True,
        "ellipsis",
    ]
    alice.page.set_viewport_size({"width": 1280, "height": 500})
    alice.page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(alice.page.get_by_role("heading", name="Keyboard shortcuts")).to_be_in_viewport(ratio=1)


def test_dark_is_dark(person):
    def background(**options):
        somebody = person("Somebody", is_registered=False, **options)
        somebody.page.goto(f"{somebody.url}/login")
        return somebody.page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, dark = (
        sum(map(int, re.findall(r"\d+", background(color_scheme=scheme))[:3])) for scheme in ("light", "dark")
    )
    assert light > 700
    assert dark < 100


def test_everything_by_keyboard(person, anything):
    """From the address to a message and out again, without a mouse."""
    bob, alice = person("Bob"), person("Alice", is_registered=False)
    page = alice.page
    keys = page.keyboard
    page.goto(f"{alice.url}/register")
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    keys.press("Enter")
    fields = ["User name", "Display name", "Password"]
    for label, value in zip(fields, [alice.username, alice.name, PASSWORD], strict=True):
        keys.press("Tab")
        expect(page.get_by_label(label, exact=True)).to_be_focused()
        keys.type(value)
    keys.press("Tab")
    keys.press("Enter")  # on Show: who sees the password need not type it twice
    password = page.get_by_label("Password", exact=True)
    expect(password).to_be_focused()
    expect(password).to_have_attribute("type", "text")
    expect(page.get_by_label("Password again")).to_be_hidden()
    keys.press("Enter")
    page.wait_for_url("**/chatroom**")
    # In a room without the messages of other tests: more would be loaded while one goes through them.
    open_room(alice, make_room(bob, anything("Keyboards"), alice))
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    keys.press("Enter")  # skips the header
    reached = []
    stops = page.locator("a[href], button, input, select, textarea, summary, audio, video, [tabindex='0']").count()
    for _ in range(stops):
        keys.press("Tab")
        focus = page.evaluate(
            """() => {
                const element = document.activeElement;
                const shown = element.matches("textarea") ? element.closest(".composer__box") : element;
                const style = getComputedStyle(shown);
                return [element.tagName, parseFloat(style.outlineWidth), style.outlineStyle];
            }"""
        )
        assert focus[1] >= 1, f"the focus is visible on {focus}"
        assert focus[2] != "none", focus
        reached.append(focus[0])
        if focus[0] == "TEXTAREA":
            break
    assert "DIV" in reached, "the log can be scrolled by keyboard"
    text = anything("typed")
    keys.type(text)
    keys.press("Enter")
    alice.sees(text)
    for _ in range(stops + 20):
        keys.press("Shift+Tab")
        if page.evaluate("document.activeElement.ariaLabel") == "Your account":
            break
    keys.press("Enter")
    for _ in range(stops):
        keys.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "Log out":
            break
    keys.press("Enter")
    page.wait_for_url(lambda url: "/chatroom" not in url)


def test_two_links_skip_to_the_room_and_to_writing(person, anything):
    alice = person("Alice")
    keys = alice.page.keyboard
    alice.page.evaluate("document.activeElement.blur()")
    keys.press("Tab")
    expect(alice.page.get_by_role("link", name="Skip to content")).to_be_focused()
    keys.press("Tab")
    expect(alice.page.get_by_role("link", name="Skip to the message field")).to_be_focused()
    keys.press("Enter")
    expect(alice.page.get_by_label("Message", exact=True)).to_be_focused()
    text = anything("skipped")
    keys.type(text)
    keys.press("Enter")
    alice.sees(text)


SIDES = """() => [...document.querySelectorAll("[data-messages] [data-message]")].map((message) => {
  const middle = (part) => part.getBoundingClientRect().x + part.getBoundingClientRect().width / 2;
  return [".avatar", "[data-author-name]", "[data-permalink]", "[data-reaction]"].map((selector) => {
    const part = message.querySelector(selector);
    if (!part || getComputedStyle(part).visibility === "hidden") return "";
    return middle(part) < middle(message) ? "left" : "right";
  });
})"""
"""On which side of each message its avatar, name, time and first reaction are."""


def test_a_message_lies_on_the_side_where_its_text_begins(person, anything):
    """On a page of either direction; the other parts of the page are mirrored."""
    alice = person("Alice")
    slug = make_room(alice, anything("Both ways"))
    say(alice, slug, "Good morning", "صباح الخير", "مرحبا `code`", "and good evening")
    open_room(alice, slug)
    path = f"/api/rooms/{slug}/messages/{alice.message('صباح الخير').get_attribute('data-id')}/reactions"
    answer = alice.context.request.post(
        alice.url + path, data={"emoji": "🎉"}, headers={"X-CSRFToken": token_of(alice)}
    )
    assert answer.ok, answer.text()
    expect(alice.page.locator("[data-reaction]")).to_be_visible()
    sides = [["left"] * 3, ["right"] * 4, [""], ["left"] * 3]  # the third message continues the second
    for direction, first in (("ltr", "left"), ("rtl", "right")):
        alice.page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)
        assert [each[: len(wanted)] for each, wanted in zip(alice.page.evaluate(SIDES), sides, strict=True)] == sides
        rooms = alice.page.locator("#rooms").bounding_box()
        assert ("left" if rooms["x"] == 0 else "right") == first
        assert alice.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


BREAKOUTS = [
    "<script>window.broken = 1</script>",
    '"><img src=x onerror="window.broken = 1">',
    "</script><script>window.broken = 1</script>",
    "<svg onload=window.broken=1>",
    '[a](javascript:window.broken=1) ![b](x" onerror=window.broken=1)',
    "</textarea></template><b>bold</b>",
]


def test_markup_stays_text_as_message_live_and_in_history(person, anything):
    """X01, X02"""
    alice, bob = person("Alice"), person("Bob")
    page = alice.page
    mark = anything("x")
    for number, text in enumerate(BREAKOUTS):
        bob.say(f"{mark} {number} {text}")
    alice.sees(f"{mark} {len(BREAKOUTS) - 1}")
    for _ in range(2):
        for number, text in enumerate(BREAKOUTS):
            body = alice.message(f"{mark} {number}").locator("[data-body]")
            if "](" not in text:
                expect(body).to_have_text(f"{mark} {number} {text}")
            assert body.evaluate("(it) => it.querySelectorAll('script, img, svg, b, [onerror], [onload]').length") == 0
            assert body.evaluate("(it) => [...it.querySelectorAll('a')].every((a) => /^https?:/.test(a.href))")
        assert page.evaluate("window.broken") is None
        page.reload()  # and in what the server renders
        alice.await_state("Live")


def test_markup_stays_text_as_a_name(person, anything):
    """X01: as far as a display name may hold it at all."""
    for pattern in ("<b>Al{}</b>", "</title><i>Z{}</i>", "A{}\"'&amp; `x`"):
        somebody = person("Somebody", is_registered=False)
        name = somebody.name = pattern.format(somebody.username[-3:])
        somebody.page.goto(f"{somebody.url}/register")
        somebody.page.get_by_label("User name").fill(somebody.username)
        somebody.page.get_by_label("Display name").fill(name)
        somebody.page.get_by_label("Password", exact=True).fill(PASSWORD)
        somebody.page.get_by_label("Password again").fill(PASSWORD)
        somebody.page.get_by_role("button", name="Register").click()
        refused = somebody.page.locator(".field__error")
        expect(refused.or_(somebody.page.locator("[data-chat]")).first).to_be_visible()
        if refused.count():  # with a reason
            expect(somebody.page.get_by_label("Display name")).to_have_value(name)
            continue
        somebody.await_state("Live")
        expect(somebody.page).to_have_title(re.compile(re.escape(f"Hello {name}")))
        text = anything("named")
        somebody.say(text)
        for _ in range(2):
            expect(somebody.message(text).locator("[data-author-name]")).to_have_text(name)
            expect(somebody.page.locator("[data-people-list]").get_by_text(name, exact=True)).to_be_visible()
            somebody.page.reload()


def test_strange_writing_stays_within_its_own_message(person, anything):
    """X05: an override of the direction, and marks piled 4,000 high."""
    alice = person("Alice")
    mark = anything("x")
    before, piled, override, after = (
        f"{mark} before",
        f"{mark} Z" + "\u0301" * 3900,
        f"{mark} \u202eabc",
        f"{mark} after",
    )
    alice.post(before, piled, override, after)
    alice.sees(after)
    still(alice.page)
    boxes = [alice.message(f"{mark} {text}").bounding_box() for text in ("before", "Z", "\u202eabc", "after")]
    for upper, lower in itertools.pairwise(boxes):
        assert upper["y"] + upper["height"] <= lower["y"] + 1
    assert boxes[3]["height"] <= boxes[0]["height"], "the line after is as high as any"
    body = alice.message(piled[:20]).locator("[data-body]")
    assert body.evaluate("(it) => getComputedStyle(it).overflowY") == "clip"
    assert boxes[1]["height"] < 200
    direction = alice.message(f"{mark} after").locator("[data-body] p")
    assert direction.evaluate("(it) => getComputedStyle(it).unicodeBidi") == "plaintext"


def test_the_empty_room_is_light_and_invites(person, own_server):
    """Light: everything that a first visit fetches, as it comes over the line."""
    alice = person("Alice", at=own_server, service_workers="block")
    alice.page.evaluate("performance.setResourceTimingBufferSize(1000)")
    sizes = alice.page.evaluate(
        """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
          .map(({ name, transferSize }) => [name, transferSize])"""
    )
    total = sum(size for _, size in sizes)
    assert total < 150_000, (total, sorted(sizes, key=lambda each: -each[1])[:10])
    assert all(name.startswith((alice.url, "data:")) for name, _ in sizes), "nothing comes from elsewhere"
    expect(alice.page.get_by_text("There are no messages yet.")).to_be_visible()
    alice.say("Hello?")
    alice.sees("Hello?")
    expect(alice.page.get_by_text("There are no messages yet.")).to_be_hidden()


def test_the_page_loads_nothing_from_other_sites_and_obeys_its_policy(person, anything):
    """X03, as the browser sees it."""
    alice = person("Alice", is_registered=False)
    asked, problems = [], []
    alice.page.on("request", lambda request: asked.append(request.url))
    alice.page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    alice.page.on("pageerror", lambda error: problems.append(str(error)))
    alice.register_by_form().await_state("Live")
    text = anything("quiet")
    alice.say(text)
    alice.sees(text)
    alice.page.goto(f"{alice.url}/account")
    assert [url for url in asked if not url.startswith(alice.url)] == []
    assert problems == []
