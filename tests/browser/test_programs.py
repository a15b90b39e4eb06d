"""What people make for programs, on pages: access tokens and webhooks, each used by something that is no browser."""

import httpx
from playwright.sync_api import expect

from tests.browser.cast import PASSWORD
from tests.browser.steps import make_room, open_room
from tests.waiting import PATIENCE_SECONDS


def test_a_token_is_made_used_and_ended(person, anything):
    alice = person("Alice")
    page, label, text = alice.page, anything("Deploying"), anything("deployed")
    page.goto(f"{alice.url}/account")
    page.get_by_role("navigation", name="Your account").get_by_role("link", name="Access tokens").click()
    page.get_by_label("Label").fill(label)
    page.get_by_label("Your password").fill("not this one")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_text("This is not your password.")).to_be_visible()
    expect(page.get_by_label("Label")).to_have_value(label)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Create token").click()
    token = page.get_by_label("The new token").inner_text()

    def post():
        answer = httpx.post(
            f"{alice.url}/api/rooms/lobby/messages",
            json={"text": text},
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE_SECONDS,
        )
        return answer.status_code

    assert post() == 201
    page.goto(f"{alice.url}/account/tokens")
    expect(page.get_by_text(token)).to_have_count(0)
    page.get_by_role("button", name=f"End… the token {label}").click()
    page.get_by_role("button", name=f"End the token {label}").click()
    expect(page.get_by_role("status")).to_contain_text("The token was revoked.")
    assert post() == 401
    alice.enter().sees(text)


def test_a_webhook_is_made_posts_live_and_is_removed(person, anything):
    alice, bob = person("Alice"), person("Bob")
    slug = make_room(alice, anything("Builds"), bob)
    name, text = anything("Build server"), anything("main is green")
    open_room(bob, slug)
    page = alice.page
    page.goto(f"{alice.url}/rooms/{slug}/settings")
    page.get_by_role("link", name="webhooks").click()
    posting = page.get_by_role("region", name="New incoming webhook")
    posting.get_by_label("Name").fill(name)
    posting.get_by_role("button", name="Create webhook").click()
    address = page.get_by_role("region", name="The address of the new webhook").locator("code").first.inner_text()
    assert httpx.post(address, json={"text": text}, timeout=PATIENCE_SECONDS).is_success
    bob.sees(text)
    expect(bob.message(text).locator("[data-author-name]")).to_have_text(name)
    expect(bob.message(text).locator("[data-bot]")).to_have_text("bot")
    page.get_by_role("button", name=f"Remove… the webhook {name}").click()
    page.get_by_role("button", name=f"Remove the webhook {name}").click()
    expect(page.get_by_text("The webhook was removed.")).to_be_visible()
    expect(page.get_by_role("button", name=f"Remove… the webhook {name}")).to_have_count(0)
    assert httpx.post(address, json={"text": text}, timeout=PATIENCE_SECONDS).status_code == 404


def test_a_webhook_to_a_private_address_is_refused_on_its_form(person, anything):
    alice = person("Alice")
    slug = make_room(alice, anything("Mirror"))
    page = alice.page
    page.goto(f"{alice.url}/chatroom/{slug}/webhooks")
    told = page.get_by_role("region", name="New outgoing webhook")
    told.get_by_label("Name").fill("Mirror")
    told.get_by_label("Address").fill("http://127.0.0.1:9/hook")
    told.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_text("This host is unknown").first).to_be_visible()
    expect(told.get_by_label("Address")).to_have_value("http://127.0.0.1:9/hook")
