"""Reactions, emoji, names and pins, as two people see them."""

import re

from playwright.sync_api import expect

from tests.browser.steps import (
    COLOURS,
    NO_SCRIPT,
    PHONE,
    act,
    bodies,
    frame_of,
    leave_by,
    make_room,
    open_room,
    still,
    stored,
)
from tests.waiting import wait_until

FOCUSED = "document.activeElement.dataset.character"


def react(somebody, text, search):
    """Open the picker at a message, search, and take the first."""
    stored(somebody, text).hover()
    somebody.page.get_by_role("button", name="React…").click()
    field = somebody.page.get_by_label("Search emoji")
    field.fill(search)
    expect(somebody.page.get_by_role("gridcell").first).to_be_visible()
    field.press("Enter")
    expect(field).to_be_hidden()


def reactions_of(somebody, text):
    return somebody.message(text).locator("[data-reaction]")


def test_a_reaction_is_seen_by_both_joined_and_taken_back(person, anything):
    alice, bob = person("Alice"), person("Bob")
    text = anything("We ship on Friday")
    alice.say(text)
    bob.sees(text)
    bob.page.reload()  # for Bob, the message came with the page; for Alice, live
    bob.await_state("Live")
    react(bob, text, "tada")
    seen = reactions_of(alice, text)
    expect(seen).to_have_text(re.compile("🎉.*1"))
    expect(seen).to_have_attribute("aria-pressed", "false")
    expect(seen).to_have_attribute("title", bob.name)
    expect(reactions_of(bob, text)).to_have_attribute("aria-pressed", "true")
    seen.click()
    expect(seen).to_have_attribute("aria-pressed", "true")
    expect(reactions_of(bob, text)).to_have_text(re.compile("2"))
    for somebody in (alice, bob):  # and in what the server renders, for each their own
        somebody.page.reload()
        somebody.await_state("Live")
        expect(reactions_of(somebody, text)).to_have_attribute("aria-pressed", "true")
    reactions_of(bob, text).click()
    expect(seen).to_have_text(re.compile("1"))
    seen.focus()
    seen.press("Enter")
    expect(seen).to_have_count(0)
    expect(reactions_of(bob, text)).to_have_count(0)
    expect(alice.message(text)).to_be_focused()


def test_the_picker_by_keyboard_alone(person, anything):
    alice = person("Alice")
    page = alice.page
    text = anything("lunch")
    alice.say(text)
    stored(alice, text).wait_for()
    page.get_by_role("log").focus()
    page.keyboard.press("ArrowUp")
    expect(alice.message(text)).to_be_focused()
    page.keyboard.press("r")
    search = page.get_by_label("Search emoji")
    expect(search).to_be_focused()

    def walk(key, *, away_from):
        page.keyboard.press(key)
        return wait_until(lambda: (now := page.evaluate(FOCUSED)) != away_from and now, f"{key} goes nowhere")

    first = walk("ArrowDown", away_from=None)
    second = walk("ArrowRight", away_from=first)
    below = walk("ArrowDown", away_from=second)
    assert walk("ArrowUp", away_from=below) == second
    assert first != below
    page.keyboard.press("Enter")
    expect(reactions_of(alice, text)).to_have_attribute("data-reaction", second)
    expect(search).to_be_hidden()
    expect(alice.message(text)).to_be_focused()
    page.keyboard.press("r")
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    expect(search).to_be_hidden()
    expect(alice.message(text)).to_be_focused()


def test_an_emoji_from_the_picker_and_one_by_its_name(person, anything):
    alice, bob = person("Alice"), person("Bob")
    mark = anything("done")
    alice.write(mark + " ")
    alice.page.get_by_role("button", name="Emoji", exact=True).click()
    alice.page.get_by_label("Search emoji").fill("rocket")
    alice.page.get_by_role("gridcell").first.click()
    box = alice.page.get_by_label("Message", exact=True)
    expect(box).to_be_focused()
    expect(box).to_have_value(f"{mark} 🚀")
    box.press("Control+z")
    expect(box).to_have_value(mark + " ")
    box.press("Control+Shift+z")
    expect(box).to_have_value(f"{mark} 🚀")
    alice.page.get_by_role("button", name="Emoji", exact=True).click()
    alice.page.get_by_role("button", name="Medium", exact=True).click()
    alice.page.get_by_role("button", name="People & body").click()
    hand = alice.page.get_by_role("button", name="waving hand")
    expect(hand).to_be_in_viewport()
    hand.click()
    expect(box).to_have_value(f"{mark} 🚀👋🏽")
    box.press_sequentially(" :tada: `:tada:`")
    box.press("Escape")
    box.press("Enter")
    expect(bodies(bob, mark)).to_have_text([f"{mark} 🚀👋🏽 🎉 :tada:"])


def test_a_name_is_completed_and_marked_for_whom_it_means(person, anything):
    alice, bob, carol = person("Alice"), person("Bob"), person("Carol")
    page = alice.page
    mark = anything("could you look")
    box = page.get_by_label("Message", exact=True)
    # The whole of it: the Bobs of other tests begin like this one.
    box.press_sequentially(f"{mark} @{bob.username}")
    option = page.get_by_role("option", name=re.compile(bob.name))
    expect(option).to_have_attribute("aria-selected", "true")
    box.press("Enter")
    expect(box).to_have_value(f"{mark} @{bob.username} ")
    expect(page.get_by_role("listbox")).to_be_hidden()
    box.press("Control+z")  # takes back only the completion
    expect(box).to_have_value(f"{mark} @{bob.username}")
    box.press("Control+Shift+z")
    expect(box).to_have_value(f"{mark} @{bob.username} ")
    box.press("Enter")
    for somebody, marks in ((bob, re.compile("names-me")), (carol, re.compile(r"^(?!.*names-me)"))):
        mention = somebody.message(mark).locator(".mention")
        expect(mention).to_have_text(f"@{bob.name}")
        expect(somebody.message(mark)).to_have_class(marks)
        somebody.page.reload()
        somebody.await_state("Live")
        expect(mention).to_have_text(f"@{bob.name}")
        expect(somebody.message(mark)).to_have_class(marks)


def test_the_suggestions_can_be_walked_clicked_and_sent_away(person, anything):
    alice, bob = person("Alice"), person("Bob")
    page = alice.page
    box = page.get_by_label("Message", exact=True)
    box.fill("so :smil")  # at once: each key would bring another list
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    box.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", "completion-1")
    box.press("ArrowUp")
    box.press("Tab")
    expect(box).to_have_value(re.compile("^so \\S+ $"))
    expect(box).to_be_focused()
    page.keyboard.insert_text(f"@{bob.username}")
    page.get_by_role("option", name=re.compile(bob.name)).click()
    expect(box).to_have_value(re.compile(f"@{bob.username} $"))
    text = anything("@nobody")
    box.fill(":smi")
    expect(options.first).to_be_visible()
    box.press("Escape")
    expect(options).to_have_count(0)
    box.fill(text)
    box.press("Enter")
    alice.sees(text)


def test_pins_are_at_the_top_for_everybody(person, anything):
    """Alice keeps order in the room; Bob is a member."""
    alice, bob = person("Alice"), person("Bob")
    slug = make_room(alice, anything("Doors"), bob)
    for somebody in (alice, bob):
        open_room(somebody, slug)
    text = anything("The door code is 4711")
    bob.say(text)
    alice.sees(text)
    pins = bob.page.locator("[data-pins]")
    expect(pins).to_be_hidden()
    expect(bob.page.locator("[data-may-pin=true]")).to_have_count(0)
    act(alice, text, "Pin to the top")
    expect(pins).to_be_visible()
    line = bob.message(f"{alice.name} pinned a message")
    expect(line).to_contain_text(text)
    line.get_by_role("link").filter(has_text=text).click()
    expect(bob.message(text).first).to_have_class(re.compile("message--target"))
    expect(bob.message(text).first).to_be_focused()
    for _ in range(2):
        pins.locator("summary").click()
        expect(pins.get_by_role("link")).to_have_text(re.compile(re.escape(text)))
        pins.get_by_role("link").click()
        expect(bob.message(text).first).to_have_class(re.compile("message--target"))
        expect(pins.get_by_role("link")).to_be_hidden()
        bob.page.reload()
        bob.await_state("Live")
    stored(alice, text).first.hover()
    alice.page.get_by_role("button", name="More actions").click()
    alice.page.get_by_role("menuitem", name="Unpin").click()
    expect(pins).to_be_hidden()


def test_code_has_colours_and_a_reaction_leaves_a_selection_alone(person, anything):
    alice, bob = person("Alice"), person("Bob")
    mark = anything("kiln")
    alice.write(f"{mark}\n```py\ndef fire(): pass\n```")
    alice.page.get_by_label("Message", exact=True).press("Enter")
    bob.sees(mark)
    keyword = bob.message(mark).locator("pre .k").first
    assert keyword.evaluate("(it) => getComputedStyle(it).color !== getComputedStyle(it.closest('pre')).color")
    bob.message(mark).locator("pre").evaluate("(it) => getSelection().selectAllChildren(it)")
    react(alice, mark, "fire")
    expect(reactions_of(bob, mark)).to_have_count(1)
    assert "def fire" in bob.page.evaluate("getSelection().toString()")


def test_on_a_phone(person, anything):
    alice = person("Alice", **PHONE)
    page = alice.page
    text = anything("on my way")
    alice.write(text)
    page.get_by_role("button", name="Send message").tap()
    stored(alice, text).locator("[data-more]").tap()
    page.get_by_role("menuitem", name="React…").tap()
    grid = page.get_by_role("grid")
    expect(grid).to_be_in_viewport(ratio=1)
    page.get_by_role("gridcell").first.tap()
    expect(reactions_of(alice, text)).to_have_count(1)
    page.get_by_label("Message", exact=True).press_sequentially(f"@{alice.username}")
    expect(page.get_by_role("option", name=re.compile(alice.name))).to_be_in_viewport(ratio=1)
    still(page)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_the_accessibility_check_finds_nothing(person, anything):
    """In both schemes, which differ in nothing but their colours."""
    from axe_playwright_python.sync_playwright import Axe

    alice = person("Alice", color_scheme="light")
    page = alice.page

    def assert_well():
        for scheme, rules in (("light", {}), ("dark", COLOURS)):
            page.emulate_media(color_scheme=scheme)
            still(page)
            results = Axe().run(page, options={"resultTypes": ["violations"], **rules})
            assert results.violations_count == 0, results.generate_report()

    mark = anything("colours")
    alice.say(f"{mark} @{alice.username}\n```py\n@cached\ndef f(a: int = 1) -> str:  # why\n    return 'x'\n```")
    alice.sees(mark)
    react(alice, mark, "tada")
    expect(reactions_of(alice, mark)).to_have_count(1)
    assert_well()
    page.get_by_role("button", name="Emoji", exact=True).click()
    expect(page.get_by_label("Search emoji")).to_be_focused()
    assert_well()


def test_without_a_script_they_are_shown(person, anything):
    alice, bob = person("Alice", **NO_SCRIPT), person("Bob")
    text = anything("hello")
    bob.say(f"{text} @{alice.username}")
    bob.sees(text)
    react(bob, text, "tada")
    expect(reactions_of(bob, text)).to_have_count(1)
    alice.page.reload()
    message = frame_of(alice).locator("[data-message]", has_text=text)
    expect(message.locator(".reaction")).to_have_text(re.compile("🎉.*1"))
    expect(message).to_have_class(re.compile("names-me"))
    page = alice.page
    leave_by(page, message.locator("[data-more]"))
    page.get_by_text("React", exact=True).first.click()
    page.get_by_role("button", name="Add 🎉").click()
    expect(page.locator(".message--target .reaction")).to_have_text(re.compile("🎉.*2"))
    expect(reactions_of(bob, text)).to_have_text(re.compile("2"))


def test_the_parts_of_a_message_are_stacked_next_to_its_avatar(person, anything):
    """Areas that are no rectangle are no areas at all, and then everything lies on everything."""
    alice = person("Alice")
    text = anything("in order")
    alice.say(text)
    react(alice, text, "tada")
    expect(reactions_of(alice, text)).to_have_count(1)
    still(alice.page)
    message = alice.message(text)
    head, body, reactions = (
        message.locator(part).bounding_box() for part in (".message__head", ".message__body", ".reactions")
    )
    picture = message.locator(".avatar").first.bounding_box()
    assert head["y"] + head["height"] <= body["y"] + 1
    assert body["y"] + body["height"] <= reactions["y"] + 1
    assert {round(part["x"]) for part in (head, body, reactions)} == {round(head["x"])}
    assert picture["x"] + picture["width"] < head["x"]
