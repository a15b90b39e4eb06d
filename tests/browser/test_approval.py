"""First messages of newcomers, as they see it, and as those see it who decide."""

import pytest
from playwright.sync_api import expect

from tests.browser.steps import await_live


@pytest.fixture
def alice(person, own_server):
    """An administrator who has the first three messages of newcomers held."""
    alice = person("Alice", at=own_server)
    page = alice.open_tab()
    page.goto(f"{alice.url}/admin/joining")
    page.get_by_label("Number of messages held for approval").fill("3")
    page.get_by_role("region", name="First messages of newcomers").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    page.close()
    return alice


def held_of(somebody):
    return somebody.page.locator("[data-held-list] [data-held]")


def decide(alice, text, button, reason=""):
    page = alice.open_tab()
    page.goto(f"{alice.url}/approval")
    card = page.get_by_role("article").filter(has_text=text)
    if reason:
        card.get_by_text("Reject…").click()
        card.get_by_label("Reason (the author sees it)").fill(reason)
    card.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("status")).to_be_visible()
    page.close()


def test_from_waiting_to_the_room(alice, person, own_server, anything):
    bob, carol = person("Bob", at=own_server), person("Carol", at=own_server)
    bob_elsewhere = bob.open_tab()
    bob_elsewhere.goto(f"{bob.url}/chatroom")
    await_live(bob_elsewhere)
    first, second, third = anything("first"), anything("second"), anything("third")
    for text in (first, second, third):
        bob.say(text)
    for page in (bob.page, bob_elsewhere):
        expect(page.locator("[data-held-list] [data-held]")).to_have_count(3)
        expect(page.locator("[data-held-list]")).to_contain_text("Waiting for approval")
    bob.page.reload()
    expect(held_of(bob)).to_have_count(3)

    decide(alice, first, "Approve")
    carol.sees(first)
    bob.sees(first)
    for page in (bob.page, bob_elsewhere):
        expect(page.locator("[data-held-list] [data-held]")).to_have_count(2)

    decide(alice, second, "Reject", "No advertising, please.")
    rejected = held_of(bob).filter(has_text=second)
    expect(rejected).to_contain_text("Rejected: No advertising, please.")
    rejected.get_by_role("button", name="Dismiss").click()
    held_of(bob).filter(has_text=third).get_by_role("button", name="Withdraw").click()
    for page in (bob.page, bob_elsewhere):
        expect(page.locator("[data-held-list]")).to_be_hidden()

    last, after = anything("last"), anything("after")
    bob.say(last)
    expect(held_of(bob)).to_have_count(1)
    decide(alice, last, "Approve, and trust the author from now on")
    carol.sees(last)
    bob.say(after)
    carol.sees(after)
    for text in (second, third):
        expect(carol.message(text)).to_have_count(0)


def test_without_javascript(alice, person, own_server, anything):
    bob = person("Bob", at=own_server, java_script_enabled=False)
    kept, taken_back = anything("kept"), anything("taken back")
    for text in (kept, taken_back):
        bob.write(text)
        bob.page.get_by_role("button", name="Send").click()
        expect(bob.page.get_by_label("Message", exact=True)).to_have_value("")
    frame = bob.page.frame_locator("iframe")
    expect(frame.get_by_text("Waiting for approval")).to_have_count(2)
    frame.locator("[data-held]", has_text=taken_back).get_by_role("button", name="Withdraw").click()
    expect(frame.locator("[data-held]")).to_have_count(1)
    decide(alice, kept, "Approve")
    alice.sees(kept)
    bob.page.goto(f"{bob.url}/chatroom")
    expect(frame.locator("[data-message]", has_text=kept)).to_be_visible()
    expect(frame.locator("[data-held]")).to_have_count(0)
