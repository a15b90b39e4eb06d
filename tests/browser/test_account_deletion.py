"""Somebody deletes their account while another looks on."""

from playwright.sync_api import expect

from tests.browser.cast import PASSWORD

FORMER = "Former member"


def delete(page, url, username, way):
    """From the account's page on, as a person does."""
    page.goto(f"{url}/account")
    page.get_by_role("link", name="Delete your account").click()
    expect(page.get_by_role("link", name="Download your data")).to_be_visible()
    page.get_by_role("radio", name=way).check()
    page.get_by_label("To confirm, type the user name").fill(username)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Delete the account for good").click()
    expect(page.get_by_text("Your account was deleted.")).to_be_visible()


def author_of(person, text):
    return person.message(text).locator("[data-author-name]")


def test_alice_goes_and_bob_looks_on(person, anything):
    """M11: her name goes from what she wrote, from where she was mentioned, and from his list; nobody is her again."""
    bob, alice = person("Bob"), person("Alice")  # he is first: the site keeps an administrator
    said, to_her, between_us = anything("good morning"), anything("hello"), anything("between us")
    alice.say(said)
    bob.sees(said)
    bob.say(f"{to_her} @{alice.username}")
    alice.sees(to_her)
    bob.page.goto(f"{bob.url}/people/{bob.message(said).get_attribute('data-author')}")
    bob.page.get_by_role("button", name="Message").click()
    bob.await_state("Live")
    bob.say(between_us)
    bob.sees(between_us)
    bob.enter()
    room_list = bob.page.get_by_role("navigation", name="Rooms")
    expect(room_list.get_by_role("link", name=alice.name)).to_be_visible()

    elsewhere = alice.open_tab()
    delete(elsewhere, alice.url, alice.username, "Keep the messages")

    expect(author_of(bob, said)).to_have_text(FORMER)
    expect(bob.message(said)).to_contain_text(said)
    expect(bob.message(to_her).locator(".mention")).to_have_text(f"@{FORMER}")
    expect(room_list.get_by_role("link", name=FORMER)).to_be_visible()
    expect(room_list.get_by_role("link", name=alice.name)).to_have_count(0)
    alice.await_state("This account was deleted.")
    elsewhere.get_by_label("User name").fill(alice.username)
    elsewhere.get_by_label("Password", exact=True).fill(PASSWORD)
    elsewhere.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(elsewhere.get_by_role("alert")).to_have_text("Wrong user name or password.")
    bob.page.reload()
    expect(author_of(bob, said)).to_have_text(FORMER)


def test_a_form_erases_her_messages(person, anything):
    """She has no JavaScript; he sees it go."""
    bob = person("Bob")
    alice = person("Alice", java_script_enabled=False)
    said = anything("good morning")
    token = alice.page.context.request.get(f"{alice.url}/login").text().partition('name="csrf_token"')[2]
    token = token.partition('value="')[2].partition('"')[0]
    answer = alice.context.request.post(
        f"{alice.url}/chatroom", form={"csrf_token": token, "client_id": "", "text": said}, max_redirects=0
    )
    assert answer.status == 303, answer.text()
    bob.sees(said)
    sequence = bob.message(said).get_attribute("data-sequence")

    delete(alice.page, alice.url, alice.username, "Erase the messages")

    gone = bob.page.locator(f'[data-messages] [data-sequence="{sequence}"]')
    expect(gone).to_contain_text("This message was deleted.")
    expect(gone.locator("[data-author-name]")).to_have_text(FORMER)
    expect(bob.message(said)).to_have_count(0)
