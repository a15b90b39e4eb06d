"""The connection breaks in every way that it can; nothing is lost, nothing is doubled, and the page says how it is."""

import pytest
from playwright.sync_api import expect


@pytest.mark.slow
def test_a_server_that_is_killed_and_comes_back(person, own_server, anything):
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
    assert alice.texts(mark) == expected
    assert bob.texts(mark) == expected
    bob.page.reload()
    bob.await_state("Live")
    assert bob.texts(mark) == expected


@pytest.mark.slow
def test_a_database_that_stands_still(person, own_server, anything):
    """D01: nobody is shown what is not stored; the author is told within 5 seconds, and it is stored once."""
    alice, bob = person("Alice", at=own_server), person("Bob", at=own_server)
    text = anything("patience")
    pending = alice.page.locator("[data-pending] [data-message]")
    with own_server.stopped_database():
        alice.say(text)
        expect(pending).to_contain_text("Not stored yet", timeout=5000)
        expect(bob.message(text)).to_have_count(0)
        alice.page.wait_for_timeout(4000)
        expect(bob.message(text)).to_have_count(0)
    bob.sees(text, timeout=20_000)
    alice.sees(text)
    expect(pending).to_have_count(0, timeout=20_000)
    alice.page.wait_for_timeout(1500)
    assert alice.texts(text) == bob.texts(text) == [text]


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
    alice.await_state("Live", timeout=5000)
    bob.sees(f"{mark} mine")
    alice.sees(f"{mark} mine")
    assert alice.texts(mark) == [f"{mark} 0", f"{mark} 1", f"{mark} 2", f"{mark} mine"]
    expect(alice.page.locator(".mark")).to_have_count(1)


def test_what_was_not_stored_survives_a_reload(person, anything):
    """The outbox is kept in the browser, and sent by the next page that can."""
    alice = person("Alice")
    text = anything("kept")
    alice.context.set_offline(True)
    alice.await_state("Offline")
    alice.say(text)
    alice.context.set_offline(False)
    # The reload overtakes the reconnecting.
    alice.page.evaluate("window.stop()")
    alice.page.reload()
    alice.await_state("Live")
    alice.sees(text)
    expect(alice.page.locator("[data-pending] [data-message]")).to_have_count(0)
    assert alice.texts(text) == [text]


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
    alice.context.set_offline(False)
    alice.page.close(run_before_unload=True)
    tab.goto(f"{alice.url}/chatroom")
    message = tab.locator("[data-messages] [data-message]", has_text=text)
    expect(message).to_have_count(1)


def test_where_websockets_do_not_get_through_it_asks(person, anything):
    """A4: others' messages at the latest after 5 seconds, and posting works."""
    bob = person("Bob")
    alice = person("Alice")
    alice.page.route_web_socket("**/live**", lambda socket: socket.close(code=1011))
    alice.page.reload()
    alice.await_state("No live connection")
    text, answer = anything("asked for"), anything("over HTTP")
    bob.say(text)
    alice.sees(text, timeout=5000)
    alice.say(answer)
    bob.sees(answer)
    alice.sees(answer, timeout=5000)
    assert alice.texts(answer) == [answer]


def test_a_session_that_ended_says_so_and_keeps_the_draft(person, anything):
    alice = person("Alice")
    text = anything("after the log-in")
    elsewhere = alice.open_tab()
    elsewhere.goto(f"{alice.url}/account")
    elsewhere.get_by_role("button", name="Log out").first.click()
    elsewhere.wait_for_url(lambda url: "/account" not in url)
    alice.await_state("Your session ended")
    alice.say(text)
    expect(alice.page.locator("[data-pending] [data-message]")).to_contain_text("logged in again")
    alice.page.get_by_role("link", name="Log in again").click()
    alice.log_in()
    alice.await_state("Live")
    alice.sees(text)
    assert alice.texts(text) == [text]


def test_two_tabs_do_not_both_send(person, anything):
    """Ten tabs with one outbox: the draft is stored once, and no tab is left with a pending copy."""
    alice = person("Alice")
    tabs = [alice.open_tab() for _ in range(3)]
    for tab in tabs:
        tab.goto(f"{alice.url}/chatroom")
    alice.context.set_offline(True)
    alice.await_state("Offline")
    text = anything("tabs")
    alice.say(text)
    alice.context.set_offline(False)
    alice.sees(text)
    for tab in tabs:
        tab.locator("[data-messages] [data-message]", has_text=text).wait_for()
        expect(tab.locator("[data-pending] [data-message]")).to_have_count(0)
    assert alice.texts(text) == [text]
