"""Everything works with forms and links alone, as it does in a text browser."""

import os
import re
import shutil
import subprocess

import pytest
from playwright.sync_api import expect

from tests.browser.cast import PASSWORD, skip
from tests.browser.steps import NO_SCRIPT, frame_of, leave_by, make_room, say, say_many
from tests.waiting import PATIENCE_SECONDS


def post(somebody, text):
    somebody.page.get_by_label("Message", exact=True).fill(text)
    somebody.page.get_by_role("button", name="Send message").click()


def test_a_whole_visit_without_a_script(person, anything):
    """A1, A3, A5, C1, C5: from the index to the log-out."""
    alice = person("Alice", is_registered=False, **NO_SCRIPT)
    page = alice.page
    page.goto(f"{alice.url}/")
    page.get_by_label("User name").fill(alice.username)
    page.get_by_role("button", name="Join the room").click()
    expect(page.get_by_label("User name")).to_have_value(alice.username)
    page.get_by_label("Display name").fill(alice.name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Register").click()

    expect(page).to_have_title(re.compile(f"Hello {alice.name}"))
    text = anything("plain")
    post(alice, text)
    expect(frame_of(alice).get_by_text(text)).to_be_in_viewport()
    expect(frame_of(alice).locator("[data-message]", has_text=text).locator("time")).to_contain_text("UTC")
    expect(page.locator("noscript span", has_text="Times are in UTC.")).to_be_visible()
    page.reload()
    expect(frame_of(alice).locator("[data-message]", has_text=text)).to_have_count(1)

    page.get_by_role("button", name="Your account").click()
    page.get_by_role("link", name="Your account").click()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("another quiet evening")
    page.get_by_label("New password again").fill("another quiet evening")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("status")).to_contain_text("password was changed")

    page.goto(f"{alice.url}/")
    page.wait_for_url(f"{alice.url}/chatroom/lobby")  # already signed in
    alice.log_out()
    page.wait_for_url(f"{alice.url}/")
    page.goto(f"{alice.url}/chatroom/lobby")
    page.wait_for_url("**/login**")
    alice.log_in("another quiet evening")
    page.wait_for_url(f"{alice.url}/chatroom/lobby")


def test_others_messages_come_by_themselves_and_typing_is_not_disturbed(person, anything):
    """A4: at the latest after 5 seconds, because the frame is loaded again so often."""
    alice, bob = person("Alice", **NO_SCRIPT), person("Bob")
    box = alice.page.get_by_label("Message", exact=True)
    typing = anything("I am just typing")
    box.fill(typing)
    refresh = frame_of(alice).locator("meta[http-equiv=refresh]")
    expect(refresh).to_have_attribute("content", re.compile("^[1-5]$"))
    text = anything("surprise")
    bob.say(text)
    expect(frame_of(alice).get_by_text(text)).to_be_in_viewport()
    expect(box).to_have_value(typing)


def test_paging_back_and_forth(person, anything):
    alice, bob = person("Alice", **NO_SCRIPT), person("Bob")
    slug, mark = make_room(bob, anything("Pages"), alice), anything("n")
    say_many(bob, slug, (f"{mark} {number:03}" for number in range(120)))
    alice.page.goto(f"{alice.url}/chatroom/{slug}")
    leave_by(alice.page, frame_of(alice).get_by_role("link", name="Older messages"))
    page = alice.page
    expect(page.get_by_text("You are reading older messages.")).to_be_visible()
    expect(page.get_by_text(f"{mark} 069")).to_have_count(1)
    expect(page.get_by_text(f"{mark} 070")).to_have_count(0)
    expect(page.locator("iframe")).to_have_count(0)
    page.get_by_role("link", name="Older messages").click()
    expect(page.get_by_text(f"{mark} 019")).to_have_count(1)
    expect(page.get_by_text(f"{mark} 020")).to_have_count(0)
    page.get_by_role("link", name="Go to the newest").click()
    expect(frame_of(alice).get_by_text(f"{mark} 119")).to_be_in_viewport()


def test_a_refusal_keeps_the_typed_text(person):
    alice = person("Alice", **NO_SCRIPT)
    page = alice.page
    box = page.get_by_label("Message", exact=True)
    box.fill("x" * 4001)
    page.get_by_role("button", name="Send message").click()
    expect(page.get_by_role("alert")).to_contain_text("4,000")
    expect(box).to_have_value("x" * 4001)
    box.fill(" \n ")
    page.get_by_role("button", name="Send message").click()
    expect(page.get_by_role("alert")).to_contain_text("The message is empty")


def test_a_taken_name(person):
    """C2, C3: on the same form, with what was typed, passwords aside."""
    alice = person("Alice")
    other = person("Other", is_registered=False, **NO_SCRIPT)
    page = other.page
    page.goto(f"{other.url}/register")
    page.get_by_label("User name").fill(alice.username.upper())
    page.get_by_label("Display name").fill(other.name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    with page.expect_response("**/register") as response:
        page.get_by_role("button", name="Register").click()
    assert response.value.status == 409
    expect(page.get_by_role("alert")).to_have_text("User or displayname existed")
    expect(page.get_by_label("Display name")).to_have_value(other.name)
    expect(page.get_by_label("Password", exact=True)).to_have_value("")


def test_sessions_can_be_seen_and_ended(person):
    alice = person("Alice", **NO_SCRIPT)
    elsewhere = person("Elsewhere", is_registered=False, **NO_SCRIPT)
    elsewhere.username = alice.username
    elsewhere.log_in()
    alice.page.goto(f"{alice.url}/account")
    expect(alice.page.get_by_text("this browser")).to_have_count(1)
    alice.page.get_by_role("button", name="End all other sessions").click()
    expect(alice.page.get_by_role("status")).to_be_visible()
    elsewhere.page.goto(f"{alice.url}/chatroom")
    elsewhere.page.wait_for_url("**/login**")


@pytest.fixture
def show_in_w3m(tmp_path):
    """Show a page as a text browser does."""
    if shutil.which("w3m") is None:
        skip("w3m is missing (Debian: apt-get install w3m)")

    def show(url, cookie=""):
        command = ["w3m", "-dump", "-cols", "100", *(["-header", f"Cookie: {cookie}"] if cookie else []), url]
        environment = {
            **os.environ,
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "HOME": str(tmp_path),
        }  # without cookies of the user
        return subprocess.run(
            command, capture_output=True, check=True, env=environment, timeout=PATIENCE_SECONDS
        ).stdout.decode()

    return show


def test_the_forms_are_readable_in_a_text_browser(server, show_in_w3m):
    login = show_in_w3m(f"{server.url}/login")
    assert "User name" in login
    assert "Password" in login
    assert "Display name" in show_in_w3m(f"{server.url}/register")


def test_the_room_is_readable_in_a_text_browser(person, show_in_w3m, anything):
    alice = person("Alice")
    slug, text = make_room(alice, anything("Terminals")), anything("read in a terminal")
    say(alice, slug, text)
    alice.context.clear_cookies(name="time_zone")  # a text browser runs no script that reports a zone
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in alice.context.cookies())
    page = show_in_w3m(f"{alice.url}/chatroom/{slug}", cookies)
    assert re.search(rf"{re.escape(alice.name)}\s+\d\d:\d\d UTC", page), page
    assert text in page
    assert "Send message" in page.replace("\xa0", " ")
    assert "Times are in UTC" in page
    for hidden in ("edited", "Shift+Enter", "Reconnecting"):
        assert hidden not in page, "what is not for text browsers is not written"


def test_a_link_to_an_unloaded_message_shows_it_and_its_actions(person, anything):
    alice, bob = person("Alice", **NO_SCRIPT), person("Bob")
    text = anything("far above")
    texts = [text, *(f"{text} {number} {'and more ' * 60}" for number in range(12))]
    sequence = say_many(bob, "lobby", texts)[0]
    alice.page.goto(f"{alice.url}/chatroom/lobby/{sequence}")
    expect(alice.page.locator(".message--target")).to_be_in_viewport()
    expect(alice.page.locator("summary", has_text="React")).to_be_in_viewport()
