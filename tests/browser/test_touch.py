"""A phone, in the hand: the touch screen is the only pointer."""

from playwright.sync_api import expect

from tests.browser.steps import PHONE, still, stored
from tests.browser.targets import small_targets


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
