"""A phone, in the hand: the touch screen is the only pointer."""

from playwright.sync_api import expect

from tests.browser.steps import PHONE, make_room, say, send, still, stored
from tests.browser.targets import small_targets

MIDDLES = """(all) => all.map((element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  const { left, right } = range.getBoundingClientRect();
  return Math.round(left + right) / 2;
})"""


def test_enter_makes_a_new_line_on_a_phone_and_the_button_sends(person, anything):
    alice = person("Alice", **PHONE)
    page, text = alice.page, anything("first line")
    composer = page.get_by_label("Message", exact=True)
    expect(composer).to_have_attribute("enterkeyhint", "enter")
    composer.press_sequentially(text)
    composer.press("Enter")
    composer.press_sequentially("second line")
    expect(composer).to_have_value(f"{text}\nsecond line")
    page.get_by_role("button", name="Send message").tap()
    stored(alice, text).locator("[data-more]").tap()
    page.get_by_role("menuitem", name="Edit").tap()
    editor = page.get_by_label("Edit the message")
    expect(editor).to_have_attribute("enterkeyhint", "enter")
    editor.press("End")
    editor.press("Enter")
    expect(editor).to_be_visible()
    editor.press("Control+Enter")  # a keyboard was connected
    expect(editor).to_be_hidden()


def test_whatever_a_finger_opens_is_large_enough(person, anything):
    alice = person("Alice", **PHONE)
    page, text = alice.page, anything("tap me")
    alice.post(text)
    more = stored(alice, text).locator("[data-more]")

    def check(what):
        still(page)
        assert small_targets(page) == [], what

    more.tap()
    check("menu")
    page.get_by_role("menuitem", name="React…").tap()
    page.get_by_label("Search emoji").fill("rocket")
    check("emoji")
    page.get_by_role("gridcell").first.tap()
    more.tap()
    page.get_by_role("menuitem", name="Reply").tap()
    page.locator("[data-choose]").set_input_files([{"name": "a.txt", "mimeType": "text/plain", "buffer": b"words"}])
    page.get_by_role("button", name="Remove a.txt").wait_for()
    check("composer")
    page.get_by_role("button", name="Cancel the reply").tap()
    more.tap()
    page.get_by_role("menuitem", name="Edit").tap()
    check("editor")
    page.get_by_role("button", name="Cancel").tap()
    page.get_by_role("button", name="Rooms").tap()
    check("list of rooms")
    page.keyboard.press("Escape")
    for name in ("Your account", "Notify me about", "Lobby"):
        page.get_by_role("button", name=name).tap()
        check(name)
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Lobby").tap()
    page.get_by_text("Jump to date").tap()
    check("jump to date")


def test_a_finger_that_is_held_on_a_message_opens_its_actions(person, anything):
    alice = person("Alice", **PHONE)
    page, text = alice.page, anything("hold me")
    alice.post(text)
    body = stored(alice, text).locator("[data-body] p")
    finger = {"pointerType": "touch", "isPrimary": True, "clientX": 0, "clientY": 0}
    body.dispatch_event("pointerdown", finger)
    expect(page.get_by_role("menuitem", name="Edit")).to_be_visible()
    body.dispatch_event("pointerup", finger)
    page.get_by_role("menuitem", name="Edit").tap()
    expect(page.get_by_label("Edit the message")).to_have_value(text)


def test_a_saved_message_is_marked_and_can_be_removed_from_later(person, anything):
    alice = person("Alice", **PHONE)
    page, text = alice.page, anything("keep me")
    alice.post(text)
    mark = stored(alice, text).get_by_role("link", name="Saved for later")
    stored(alice, text).locator("[data-more]").tap()
    page.get_by_role("menuitem", name="Save for later").tap()
    expect(mark).to_be_visible()
    page.reload()
    expect(mark).to_be_visible()
    alice.await_state("Live")
    stored(alice, text).locator("[data-more]").tap()
    page.get_by_role("menuitem", name="Remove from Later").tap()
    expect(mark).to_have_count(0)


def test_lines_of_the_room_and_buttons_are_below_each_other(person, anything):
    """Also in the frame without scripts, which has the same style sheets."""
    alice = person("Alice", **PHONE)
    page, slug = alice.page, make_room(alice, anything("Lines"))
    for archived in ("yes", "", "yes", ""):
        send(alice, f"/rooms/{slug}/archive", archived=archived, reason="to see")
    say(alice, slug, *(anything("short") for _ in range(4)))
    for path in (f"/chatroom/{slug}", f"/chatroom/{slug}/messages"):
        page.goto(f"{alice.url}{path}")
        lines = page.locator(".message--event .message__body p")
        expect(lines).to_have_count(4)
        assert set(lines.evaluate_all(MIDDLES)) == {PHONE["viewport"]["width"] / 2}, path
        buttons = page.locator("[data-messages] [data-more]:visible, .frame [data-more]:visible")
        expect(buttons).to_have_count(4)
        assert len(set(buttons.evaluate_all(MIDDLES))) == 1, path
