"""Search, and what moderators do with a whole room: by keyboard, on a phone, without a script."""

import json
import os
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.steps import say_many
from tests.waiting import wait_until

NO_SCRIPT = {"java_script_enabled": False}
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


def picture(somebody, name):
    """Keep a picture for whoever wants to look, where SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        somebody.page.screenshot(path=Path(folder) / f"{name}.png")


def await_found(somebody, word, count):
    """Wait until a search finds so many: what was said just now takes a second or two."""

    def find():
        answer = somebody.context.request.get(f"{somebody.url}/api/search", params={"q": word})
        return answer.ok and len(answer.json()["hits"]) == count

    wait_until(find, f"{word} is not found")


def test_by_keyboard_to_a_message_and_back(person, anything):
    alice, bob = person("Alice"), person("Bob")
    word = anything("tramway").replace(" ", "") + "line"
    bob.post(f"The {word} is late again: Café Zentral at noon?", f"See https://example.com/{word}")
    alice.post(f"nothing to do with it, {word}s")
    await_found(bob, word[:-2], 3)
    page = alice.page
    page.get_by_label("Search your rooms").focus()
    page.keyboard.type(word[:-2])
    page.keyboard.press("Enter")
    expect(page.locator(".hit")).to_have_count(3)
    expect(page.locator(".hit mark").first).to_have_text(f"{word}s")
    picture(alice, "search-light")
    page.get_by_label("Search your rooms").fill(f"{word} from:{bob.username} caf")
    page.keyboard.press("Enter")
    expect(page.locator(".hit")).to_have_count(1)
    link = page.get_by_role("link", name=re.compile("open in the room"))
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/chatroom/lobby/\d+$"))
    expect(alice.message(f"The {word} is late again")).to_be_in_viewport()
    page.go_back()
    expect(page.get_by_label("Search your rooms")).to_have_value(f"{word} caf")
    expect(page.get_by_label("From")).to_have_value(bob.username)


def test_invalid_text_stays_in_the_field(person):
    alice = person("Alice")
    alice.page.goto(f"{alice.url}/search?q=before:soon")
    field = alice.page.get_by_label("Search your rooms")
    expect(alice.page.get_by_role("alert")).to_contain_text("is not a date")
    expect(field).to_have_value("before:soon")
    expect(field).to_have_attribute("aria-invalid", "true")


def test_without_a_script_on_a_phone(person, anything):
    alice = person("Alice", color_scheme="dark", **NO_SCRIPT, **PHONE)
    word = anything("ferry").replace(" ", "")
    bob = person("Bob")
    text = "with some words that make the line longer than a phone is wide"
    say_many(bob, "lobby", (f"{word} number {number}, {text}" for number in range(23)))
    await_found(bob, word, 20)  # which is all that fit on a page
    page = alice.page
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Search your rooms").fill(word)
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".hit")).to_have_count(20)
    picture(alice, "search-phone-dark")
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("link", name="Older results").click()
    expect(page.locator(".hit")).to_have_count(3)
    page.goto(f"{alice.url}/search")
    picture(alice, "search-phone-help")


def test_an_export_and_a_clear_beginning(person, anything):
    """Two people are in a room of their own: what its maker clears is gone for both, and what comes after stays."""
    alice, bob = person("Alice"), person("Bob")
    title = anything("Garden").replace(" ", "")
    page = alice.page
    page.goto(f"{alice.url}/rooms/new")
    page.get_by_label("Name").fill(title)
    page.get_by_role("button", name="Create room").click()
    page.wait_for_url(re.compile(r"/chatroom/(?!lobby)"))
    slug = page.url.rsplit("/", 1)[1]
    alice.await_state("Live")
    alice.say("planted the beans")
    alice.sees("planted the beans")
    bob.page.goto(f"{bob.url}/chatroom/{slug}")
    bob.await_state("Live")
    bob.sees("planted the beans")

    page.goto(f"{alice.url}/chatroom/{slug}/export")
    picture(alice, "export")
    page.get_by_label("JSON lines").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert "planted the beans" in [json.loads(line).get("text") for line in lines]

    page.goto(f"{alice.url}/chatroom/{slug}/clear")
    picture(alice, "clear")
    page.get_by_label("To confirm, type the room’s name").fill(title)
    page.get_by_role("button", name="Clear the history").click()
    page.wait_for_url(f"**/chatroom/{slug}")
    expect(page.get_by_text("cleared the history").first).to_be_visible()
    expect(alice.message("planted the beans")).to_have_count(0)
    expect(bob.page.get_by_text("cleared the history").first).to_be_visible()
    expect(bob.message("planted the beans")).to_have_count(0)
    bob.say("beans again")
    alice.sees("beans again")
