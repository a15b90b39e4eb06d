"""Keys as input methods, keyboard layouts and a Mac send them, in every text field."""

import re

from playwright.sync_api import expect

from tests.browser.cast import PASSWORD
from tests.browser.steps import stored

MAC = """Object.defineProperty(navigator, "platform", { get: () => "MacIntel" });
Object.defineProperty(navigator, "userAgentData", { get: () => undefined });"""
PRESS = """(field, key) =>
  !field.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, composed: true, ...key }))"""


def message_field(person):
    return person.page.get_by_label("Message", exact=True)


def test_keys_of_a_composition_only_end_it(person, anything):
    """In turn: the composer with a suggestion and a reply, the editor, the switcher, the picker, the search, a form."""
    alice = person("Alice")
    page, keys = alice.page, alice.page.keyboard
    session = alice.context.new_cdp_session(page)
    text = anything("before")
    alice.say(text)
    stored(alice, text).wait_for()

    def press_in_composition(field, composed, *, kept):
        """Every key that does something elsewhere; `kept` is still there afterwards."""
        expect(field).to_be_focused()
        caret = {"selectionStart": len(composed), "selectionEnd": len(composed)}
        session.send("Input.imeSetComposition", {"text": composed, **caret})
        for key in ("ArrowUp", "ArrowDown", "Tab", "Escape", "Enter"):
            session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": key, "windowsVirtualKeyCode": 229})
            if key == "Escape" or (key == "Enter" and field.evaluate("(it) => it.matches('input')")):
                keys.press(key)  # even if the browser did not know that the input method takes it
        expect(field).to_be_focused()
        expect(kept).to_be_visible()
        session.send("Input.insertText", {"text": composed})
        expect(field).to_have_value(re.compile(f"{composed}$"))

    stored(alice, text).hover()
    page.get_by_role("button", name="Reply", exact=True).click()
    press_in_composition(message_field(alice), "にほん", kept=page.locator("[data-reply]"))
    message_field(alice).fill(":smi")
    expect(page.get_by_role("option").first).to_be_visible()
    press_in_composition(message_field(alice), "l", kept=page.get_by_role("listbox"))
    expect(page.get_by_role("option").first).to_be_visible()
    message_field(alice).fill("")
    keys.press("Escape")
    keys.press("ArrowUp")
    editor = page.get_by_label("Edit the message")
    expect(editor).to_have_value(text)
    press_in_composition(editor, "한국", kept=editor)
    keys.press("Control+k")
    switcher = page.get_by_role("combobox", name="Room or person")
    press_in_composition(switcher, "zhong", kept=switcher)
    keys.press("Escape")
    keys.press("Escape")
    expect(editor).to_be_hidden()
    page.get_by_role("button", name="Emoji", exact=True).click()
    picker = page.get_by_label("Search emoji")
    press_in_composition(picker, "smile", kept=picker)
    keys.press("Escape")
    address = page.url
    page.locator("[data-search]").focus()
    press_in_composition(page.locator("[data-search]"), "中文", kept=page.get_by_role("log"))
    assert page.url == address
    page.goto(f"{alice.url}/rooms/new")
    page.get_by_label("Name").focus()
    press_in_composition(page.get_by_label("Name"), "部屋", kept=page.get_by_role("button", name="Create room"))
    assert page.url.endswith("/rooms/new")


def test_shortcuts_are_found_on_other_layouts_and_named_as_on_the_keyboard(person):
    alice = person("Alice")
    page, keys, box = alice.page, alice.page.keyboard, message_field(alice)
    switcher = page.get_by_role("combobox", name="Room or person")
    box.fill("hello")
    box.evaluate(PRESS, {"key": "л", "code": "KeyK", "ctrlKey": True})
    expect(switcher).to_be_focused()
    keys.press("Escape")
    expect(box).to_be_focused()
    for key, bold in (("Control+b", "**"), ("Control+i", "*")):
        box.select_text()
        keys.press(key)
        expect(box).to_have_value(f"{bold}hello{bold}")
        keys.press(key)
        expect(box).to_have_value("hello")
    keys.press("Control+b")
    keys.press("Control+z")
    expect(box).to_have_value("hello")
    box.fill("")
    keys.press("Control+b")
    keys.type("new")
    expect(box).to_have_value("**new**")
    assert page.locator("[data-switcher-open]").inner_text().endswith("Ctrl K")
    alice.context.add_init_script(MAC)
    page.reload()
    alice.await_state("Live")
    assert page.locator("[data-switcher-open]").inner_text().endswith("⌘ K")
    assert not box.evaluate(PRESS, {"key": "k", "code": "KeyK", "ctrlKey": True}), "the field deletes to its end"
    expect(switcher).to_be_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("⌘ K")
    keys.press("Escape")
    assert box.evaluate(PRESS, {"key": "л", "code": "KeyK", "metaKey": True})
    expect(switcher).to_be_focused()


def test_formats_and_the_preview_keep_the_caret_and_the_undo(person):
    alice = person("Alice")
    page, keys, box = alice.page, alice.page.keyboard, message_field(alice)
    switcher = page.get_by_role("combobox", name="Room or person")
    box.press_sequentially("see this")
    for _ in "this":
        keys.press("Shift+ArrowLeft")
    keys.press("Control+k")
    expect(box).to_have_value("see [this](https://)")
    keys.type("https://a.example")
    expect(box).to_have_value("see [this](https://a.example)")
    keys.press("Control+k")
    expect(switcher).to_be_focused()
    keys.press("Escape")
    box.fill("")
    box.press_sequentially("one")
    keys.press("Shift+Enter")
    keys.type("two")
    for format, formatted in (("Code", "```\none\ntwo\n```"), ("List", "- one\n- two"), ("Quote", "> one\n> two")):
        keys.press("Control+a")
        page.get_by_role("button", name=format, exact=True).click()
        expect(box).to_have_value(formatted)
        expect(box).to_be_focused()
        keys.press("Control+z")  # one step
        expect(box).to_have_value("one\ntwo")
    keys.press("ArrowUp")
    keys.press("Home")
    keys.type("**n** ")
    preview = page.get_by_role("region", name="Preview")
    for back in (lambda: keys.press("Escape"), page.get_by_role("button", name="Preview").click):
        page.get_by_role("button", name="Preview").click()
        expect(preview.locator("strong")).to_have_text("n")
        expect(box).to_be_hidden()
        back()
        expect(preview).to_be_hidden()
        expect(box).to_be_focused()
    keys.type("|")
    expect(box).to_have_value("**n** |one\ntwo")
    keys.press("Control+z")
    expect(box).to_have_value("**n** one\ntwo")
    page.get_by_role("button", name="Preview").click()
    expect(preview).to_contain_text("one")
    page.get_by_role("button", name="Send message").click()
    expect(box).to_be_focused()
    expect(box).to_have_value("")


def test_typing_goes_to_the_message_field_and_arrows_through_the_menus(person):
    alice = person("Alice")
    page, keys = alice.page, alice.page.keyboard
    keys.press("H")
    expect(message_field(alice)).to_be_focused()
    expect(message_field(alice)).to_have_value("H")
    for name, first, last in (("Your account", "Your account", "Log out"), ("Lobby", "About", "Jump to date")):
        button = page.get_by_role("button", name=name, exact=True)
        button.press("Enter")
        keys.press("ArrowDown")
        entries = page.locator(".popup:popover-open .popup__item:visible")
        expect(entries.first).to_be_focused()
        expect(entries.first).to_contain_text(first)
        keys.press("ArrowUp")
        expect(entries.last).to_be_focused()
        expect(entries.last).to_contain_text(last)
        keys.press("Escape")
        expect(button).to_be_focused()


def test_after_an_error_the_focus_is_on_the_wrong_field(person):
    visitor = person("Visitor", is_registered=False)
    visitor.page.goto(f"{visitor.url}/register")
    for label, value in (("User name", "two words"), ("Display name", "Visitor"), ("Password", PASSWORD)):
        visitor.page.get_by_label(label, exact=True).fill(value)
    visitor.page.get_by_label("Password again").fill(PASSWORD)
    visitor.page.get_by_role("button", name="Register").click()
    expect(visitor.page.get_by_label("User name")).to_be_focused()
