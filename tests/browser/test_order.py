"""Keeping order, as those see it who do it and those to whom it is done."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.cast import PASSWORD
from tests.browser.steps import act, sequence_of


@pytest.fixture
def people(person, own_server):
    """An administrator (the first) and a member, in one room."""
    return person("Alice", at=own_server), person("Bob", at=own_server)


def open_page_of(moderator, text):
    """From a message to its author's page, in another window."""
    moderator.sees(text)
    author = moderator.message(text).get_attribute("data-author")
    page = moderator.open_tab()
    page.goto(f"{moderator.url}/people/{author}")
    return page


def test_a_user_is_muted_while_writing(people, anything):
    """They are told why and how long at once, and can write again when it is lifted."""
    alice, bob = people
    before, unsent = anything("before"), anything("unsent")
    bob.say(before)
    page = open_page_of(alice, before)
    field = bob.page.get_by_label("Message", exact=True)
    field.fill(unsent)
    page.get_by_label("Reason (the user sees it)").fill("Cool down, please.")
    page.get_by_role("button", name="Mute in every room").click()
    expect(page.get_by_text("The user is muted.")).to_be_visible()
    note = bob.page.locator("[data-writing-note]")
    expect(note).to_contain_text("You are muted here until")
    expect(note).to_contain_text("Cool down, please.")
    expect(note).not_to_contain_text("UTC")  # the time is in the reader's zone
    expect(field).to_be_hidden()
    page.get_by_role("button", name="Unmute").click()
    expect(page.get_by_text("The user can post again.")).to_be_visible()
    expect(field).to_have_value(unsent)
    field.press("Enter")
    alice.sees(unsent)


def test_a_banned_person_s_page_ends_with_the_reason(people, anything):
    """M03."""
    alice, bob = people
    text = anything("advertising")
    bob.say(text)
    page = open_page_of(alice, text)
    page.get_by_label("Reason (the user sees it)").fill("Advertising, again.")
    page.get_by_label("For how long").select_option("until lifted")
    page.get_by_role("button", name="Ban").click()
    expect(page.get_by_text("The user is banned")).to_be_visible()
    bob.await_state("You are banned until it is lifted: Advertising, again.")
    bob.page.goto(f"{bob.url}/login")
    bob.page.get_by_label("User name").fill(bob.username)
    bob.page.get_by_label("Password", exact=True).fill(PASSWORD)
    bob.page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(bob.page.get_by_role("alert")).to_have_text("You are banned until it is lifted: Advertising, again.")


@pytest.mark.parametrize(
    "viewport", [{"width": 1280, "height": 800}, {"width": 360, "height": 740}], ids=["wide", "phone"]
)
def test_a_report_from_the_menu_to_the_decision(person, own_server, anything, viewport):
    alice = person("Alice", at=own_server, viewport=viewport)
    bob, carol = (person(name, at=own_server, viewport=viewport) for name in ("Bob", "Carol"))
    text = anything("rude words")
    carol.say(text)
    bob.sees(text)
    act(bob, text, "Report")
    bob.page.get_by_label("What is wrong with it?").fill("This is rude.")
    bob.page.get_by_role("button", name="Report").click()
    expect(bob.page.get_by_text("You have reported this message.")).to_be_visible()
    expect(alice.page).to_have_title(re.compile("⚑ 1 – "))  # live, as the number at the picture
    expect(alice.page.get_by_role("button", name="Your account, 1 to decide")).to_be_visible()
    expect(bob.page).not_to_have_title(re.compile("⚑"))
    page = alice.open_tab()
    page.goto(f"{alice.url}/reports")
    expect(page.get_by_text("This is rude.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Delete the message").check()
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_text("There are no open reports.")).to_be_visible()
    expect(alice.message("This message was deleted")).to_be_visible()
    expect(alice.page).not_to_have_title(re.compile("⚑"))
    expect(alice.page.get_by_role("button", name="Your account", exact=True)).to_be_visible()
    expect(alice.message(text)).to_have_count(0)


def test_without_javascript(person, anything):
    alice, bob = person("Alice"), person("Bob", java_script_enabled=False)
    text = anything("rude words")
    alice.say(text)
    sequence = sequence_of(alice, text)
    bob.page.goto(f"{bob.url}/chatroom/lobby/{sequence}")
    bob.page.get_by_role("link", name="Report").click()
    bob.page.get_by_label("What is wrong with it?").fill("This is rude.")
    bob.page.get_by_role("button", name="Report").click()
    expect(bob.page.get_by_text("You have reported this message.")).to_be_visible()
    expect(bob.page).to_have_url(f"{bob.url}/chatroom/lobby/{sequence}/report")


def test_a_new_name_is_shown_at_once(person, anything):
    alice, bob = person("Alice"), person("Bob")
    name = f"Robert {anything('')}".replace("x", " ").replace("  ", " ")
    page = bob.open_tab()
    page.goto(f"{bob.url}/account/profile")
    page.get_by_label("Display name").fill(name)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your profile was saved.")).to_be_visible()
    expect(alice.page.locator("[data-people]")).to_contain_text(name)
    hello = anything("hello")
    bob.say(hello)
    expect(alice.message(hello).locator("[data-author-name]")).to_have_text(name)
