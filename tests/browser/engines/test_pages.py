"""The pages themselves: accounts, no scripts, colours and widths."""

import pytest
from selenium.common.exceptions import WebDriverException

from tests.waiting import wait_until

PAGES = ["/chatroom", "/search?q=the", "/rooms", "/rooms/new", "/account", "/account/profile", "/account/notifications"]
WIDE = """
  const all = [...document.querySelectorAll("body *")].filter((each) => !each.closest("pre, .visually-hidden"));
  const wide = all.filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > innerWidth + 1);
  return wide.map((each) => each.className);
"""
LIGHTNESS = """
  const colour = getComputedStyle(document.querySelector(arguments[0]))[arguments[1]];
  return colour.match(/[0-9.]+/g).slice(0, 3).reduce((sum, each) => sum + Number(each), 0);
"""


def test_register_log_out_and_log_in(visitor):
    alice = visitor("Alice", is_registered=False)
    alice.go("/register")
    alice.fill_registration(**{"Password again": "something else entirely"})
    alice.find(".field__error", "different")
    alice.fill_registration()
    alice.await_state("Live")
    alice.press("Your account")
    alice.press("Log out")
    alice.wait_for("location.pathname === '/'")
    alice.log_in()
    alice.await_state("Live")
    assert alice.name in alice.find("[data-flash]").get_property("innerText")


def test_without_scripts(visitor, anything):
    """The form posts, and a frame shows the newest messages, the last one in view."""
    bob, alice = visitor("Bob"), visitor("Alice", has_scripts=False, is_registered=False)
    texts = [f"{anything('filler')}\n" * 8 for _ in range(8)]
    bob.post(*texts)
    alice.go("/register")
    alice.fill_registration()
    text = anything("plain")
    alice.fill("Message", text)
    alice.find("[data-send]").click()
    message = wait_until(lambda: find_in_frame(alice, text), "the frame does not show the message")
    assert "UTC" in message.find_element("css selector", "time").text
    assert 0 < message.rect["y"] < 700  # and not below the end of the frame
    alice.driver.switch_to.default_content()
    bob.message(text)


def find_in_frame(somebody, text):
    """The message in the frame, which is loaded again after a post and every few seconds."""
    driver = somebody.driver
    try:
        driver.switch_to.default_content()
        driver.switch_to.frame(driver.find_element("css selector", "iframe"))
        return next(iter(somebody.all("[data-message]", text)), None)
    except WebDriverException:
        return None


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_a_phone_has_no_sideways_scrolling(visitor, anything, is_dark):
    alice = visitor("Alice", width=390, height=780, is_dark=is_dark)
    alice.say(f"{anything('wide')} https://example.org/{'long' * 30} {'x' * 200}")
    for page in PAGES:
        alice.go(page)
        assert alice.run("return document.scrollingElement.scrollWidth") <= 390, page
        assert alice.run(WIDE) == [], page
        paper, ink = alice.run(LIGHTNESS, "body", "backgroundColor"), alice.run(LIGHTNESS, "h1", "color")
        assert (paper < ink) is is_dark, page


def test_scrollbars_have_the_colours_of_the_page(visitor, anything):
    """The pixels of the log's scrollbar and of a code block's are dark on a dark page."""
    alice = visitor("Alice", is_dark=True)
    alice.post(*[f"```\n{anything('code')} {'and so on ' * 40}\n```" for _ in range(12)])
    alice.await_state("Live")
    wait_until(lambda: alice.run("return document.querySelectorAll('[data-messages] pre').length >= 12"))
    assert alice.brightness("[data-log]", is_upright=True) < 160
    assert alice.brightness("[data-messages] > :last-child pre", is_upright=False) < 160
