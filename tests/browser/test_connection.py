"""The connection breaks in every way that it can; nothing is lost, nothing is doubled, and the page says how it is."""

import pytest
from playwright.sync_api import expect

from tests.browser.steps import await_live, bodies


@pytest.mark.slow
def test_a_killed_and_restarted_server(person, own_server, anything):
    """Nothing lost, nothing doubled, order kept; what is written meanwhile is stored once (D08)."""
    alice, bob = person("Alice", at=own_server), person("Bob", at=own_server)
    mark = anything("m")
    for number in range(5):
        (alice, bob)[number % 2].say(f"{mark} before {number}")
        alice.sees(f"{mark} before {number}")
    own_server.kill()
    alice.await_state("Connection lost")
    alice.say(f"{mark} while away")
    pending = alice.page.locator("[data-pending] [data-message]")
    expect(pending).to_contain_text("Waiting for the connection")
    own_server.start()
    alice.await_state("Live")
    bob.await_state("Live")
    bob.sees(f"{mark} while away")
    expect(pending).to_have_count(0)
    bob.say(f"{mark} after")
    alice.sees(f"{mark} after")
    expected = [f"{mark} before {number}" for number in range(5)] + [f"{mark} while away", f"{mark} after"]
    for somebody in (alice, bob):
        expect(bodies(somebody, mark)).to_have_text(expected)
    bob.page.reload()
    bob.await_state("Live")
    expect(bodies(bob, mark)).to_have_text(expected)


@pytest.mark.slow
def test_a_database_that_does_not_answer(person, own_server, anything):
    """D01: nobody is shown what is not stored; the author is told after a while (js/sender), and it is stored once."""
    alice, bob = person("Alice", at=own_server), person("Bob", at=own_server)
    mark = anything("patience")
    pending = alice.page.locator("[data-pending] [data-message]")
    with own_server.stopped_database():
        alice.say(f"{mark} is asked for")
        # What was shown before it is stored would have been shown in the seconds until this is said.
        expect(pending).to_contain_text("Not stored yet")
        expect(bob.message(mark)).to_have_count(0)
    bob.sees(mark)
    alice.sees(mark)
    expect(pending).to_have_count(0)
    alice.say(f"{mark} has an end")  # it comes after whatever is sent again
    for somebody in (alice, bob):
        expect(bodies(somebody, mark)).to_have_text([f"{mark} is asked for", f"{mark} has an end"])


def test_offline_and_online_again(person, anything):
    alice, bob = person("Alice"), person("Bob")
    mark = anything("m")
    alice.context.set_offline(True)
    alice.await_state("Offline")
    bob.post(*(f"{mark} {number}" for number in range(3)))
    alice.say(f"{mark} mine")
    pending = alice.page.locator("[data-pending] [data-message]")
    expect(pending).to_contain_text("online again")
    alice.context.set_offline(False)
    alice.await_state("Live")
    for somebody in (alice, bob):
        expect(bodies(somebody, mark)).to_have_text([f"{mark} 0", f"{mark} 1", f"{mark} 2", f"{mark} mine"])
    expect(alice.page.locator(".mark")).to_have_count(1)


def test_unstored_messages_survive_a_reload(person, anything):
    """The outbox is kept in the browser, and sent by the next page that can."""
    alice = person("Alice")
    text = anything("kept")
    alice.context.set_offline(True)
    alice.await_state("Offline")
    alice.say(text)
    pending = alice.page.locator("[data-pending] [data-message]")
    expect(pending).to_have_count(1)
    alice.context.set_offline(False)
    # The reload overtakes the reconnecting.
    alice.page.evaluate("window.stop()")
    alice.page.reload()
    alice.await_state("Live")
    alice.sees(text)
    expect(pending).to_have_count(0)
    expect(bodies(alice, text)).to_have_text([text])


def test_a_crashed_tab_leaves_its_drafts_to_the_next(person, anything):
    alice = person("Alice")
    text = anything("crashed")
    alice.context.set_offline(True)
    alice.await_state("Offline")
    alice.say(text)
    expect(alice.page.locator("[data-pending] [data-message]")).to_have_count(1)
    # As if a tab of long ago had written it: nobody renews its claim.
    alice.page.evaluate(
        """() => {
            const key = Object.keys(localStorage).find((key) => key.includes(":outbox:"));
            const draft = JSON.parse(localStorage.getItem(key));
            window.addEventListener("pagehide", () => {
                localStorage.setItem(key, JSON.stringify({...draft, tab: "gone", claimed_at: Date.now() - 60000}));
            });
        }"""
    )
    tab = alice.open_tab()
    with alice.page.expect_event("close"):
        alice.page.close(run_before_unload=True)
    alice.context.set_offline(False)
    tab.goto(f"{alice.url}/chatroom")
    message = tab.locator("[data-messages] [data-message]", has_text=text)
    expect(message).to_have_count(1)


def test_without_websockets_the_page_polls(person, anything):
    """A4: it asks often enough for others' messages, and posting works."""
    bob = person("Bob")
    alice = person("Alice")
    alice.page.route_web_socket("**/live**", lambda socket: socket.close(code=1011))
    alice.page.reload()
    alice.await_state("No live connection, checking every 3 s")
    text, answer = anything("asked for"), anything("over HTTP")
    bob.say(text)
    alice.sees(text)
    alice.say(answer)
    for somebody in (alice, bob):
        expect(bodies(somebody, answer)).to_have_text([answer])


def test_the_end_of_a_session_is_shown_and_the_draft_kept(person, anything):
    alice = person("Alice")
    text = anything("after the log-in")
    elsewhere = alice.open_tab()
    elsewhere.goto(f"{alice.url}/account")
    elsewhere.get_by_role("button", name="Your account").click()
    elsewhere.get_by_role("button", name="Log out", exact=True).click()
    elsewhere.wait_for_url(lambda url: "/account" not in url)
    alice.await_state("Your session ended")
    alice.say(text)
    expect(alice.page.locator("[data-pending] [data-message]")).to_contain_text("after you log in")
    alice.page.get_by_role("link", name="Log in again").click()
    alice.page.wait_for_url("**/login**")
    alice.log_in()
    alice.await_state("Live")
    expect(bodies(alice, text)).to_have_text([text])


def test_two_tabs_do_not_both_send(person, anything):
    """Several tabs with one outbox: the draft is stored once, and no tab is left with a pending copy."""
    alice = person("Alice")
    tabs = [alice.open_tab() for _ in range(3)]
    for tab in tabs:
        tab.goto(f"{alice.url}/chatroom")
        await_live(tab)
    alice.context.set_offline(True)
    alice.await_state("Offline")
    text = anything("tabs")
    alice.say(text)
    alice.context.set_offline(False)
    alice.sees(text)
    for tab in tabs:
        tab.locator("[data-messages] [data-message]", has_text=text).wait_for()
        expect(tab.locator("[data-pending] [data-message]")).to_have_count(0)
    expect(bodies(alice, text)).to_have_text([text])
