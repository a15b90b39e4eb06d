"""Two people talk, live, and what they type is neither lost nor doubled."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.steps import await_live, bodies
from tests.waiting import wait_until


def test_two_people_talk_live(person, anything):
    """A2, B1, B2: the greeting, the title, and messages that arrive by themselves as time, author and text."""
    alice, bob = person("Alice"), person("Bob")
    hello, answer = anything("Hello Bob"), anything("Hello Alice")
    expect(alice.page.get_by_text(f"Hello, {alice.name}. Come in")).to_be_visible()
    alice.say(hello)
    bob.sees(hello)
    bob.say(answer)
    alice.sees(answer)

    expect(alice.page).to_have_title(re.compile(f"^(\\S+ )?Lobby – Hello {alice.name}"))
    message = bob.message(hello)
    expect(message.locator("[data-author-name]")).to_have_text(alice.name)
    expect(message.locator("time")).to_have_text(re.compile(r"^\d\d:\d\d$"))
    expect(message.locator("time")).to_have_attribute("title", re.compile(r"20\d\d.*UTC|GMT"))
    for somebody in (alice, bob):
        expect(bodies(somebody, hello)).to_have_text([hello])
        expect(bodies(somebody, answer)).to_have_text([answer])


def test_present_people_are_shown(person):
    alice = person("Alice")
    bob = person("Bob")
    people = alice.page.locator("[data-people-list]")
    expect(people.get_by_text(bob.name)).to_be_visible()
    bob.context.close()
    expect(people.get_by_text(bob.name)).to_have_count(0)


def test_a_status_is_set_in_a_dialog_and_others_see_it_on_the_card(person):
    alice, bob = person("Alice"), person("Bob")
    bob.page.locator("[data-people-list]").get_by_role("link", name=bob.name).click()
    bob.page.get_by_role("link", name="Set a status").click()
    bob.page.get_by_role("button", name="On holiday").click()
    bob.page.get_by_role("button", name="Set status").click()
    row = alice.page.locator("[data-people-list] .person", has_text=bob.name)
    expect(row).to_contain_text("On holiday")
    row.get_by_role("link").focus()
    alice.page.keyboard.press("Enter")
    card = alice.page.get_by_role("dialog", name=bob.name)
    expect(card).to_contain_text("On holiday")
    expect(card.get_by_role("button", name=f"Message {bob.name}")).to_be_focused()
    alice.page.keyboard.press("Escape")
    expect(row.get_by_role("link")).to_be_focused()


def test_the_button_sends_and_a_reload_does_not_send_again(person, anything):
    """A3"""
    alice = person("Alice")
    text, after = anything("Once"), anything("After")
    alice.write(text)
    alice.page.get_by_role("button", name="Send message").click()
    alice.sees(text)
    alice.page.reload()
    alice.await_state("Live")
    alice.say(after)  # it comes after whatever is sent again
    alice.sees(after)
    expect(bodies(alice, text)).to_have_text([text])


def test_shift_enter_makes_a_line_and_enter_sends_outside_code(person, anything):
    alice = person("Alice")
    first, second = anything("first"), anything("second")
    box = alice.page.get_by_label("Message", exact=True)
    box.fill(first)
    box.press("Shift+Enter")
    box.press_sequentially(second)
    expect(box).to_have_value(f"{first}\n{second}")
    box.press("Enter")
    alice.sees(second)
    wait_until(lambda: alice.texts(first) == [f"{first}\n{second}"], "the line ends where Shift+Enter was pressed")
    expect(box).to_have_value("")
    expect(box).to_be_focused()
    for line in ("```", "x = 1", "```"):  # in an open block of code, Enter makes a line
        box.press_sequentially(line)
        expect(box).not_to_have_value("")
        box.press("Enter")
    expect(box).to_have_value("")
    expect(alice.page.locator("pre", has_text="x = 1")).to_be_visible()


@pytest.mark.parametrize("composing", [{"isComposing": True, "keyCode": 13}, {"isComposing": False, "keyCode": 229}])
def test_the_enter_of_an_input_method_does_not_send(person, anything, composing):
    alice = person("Alice")
    text = anything("にほん")
    alice.write(text)
    # A real composition: the key that picks a word carries these marks (Safari: only the key code).
    was_kept = alice.page.get_by_label("Message", exact=True).evaluate(
        """(box, composing) => {
            const event = new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true, ...composing});
            return box.dispatchEvent(event);
        }""",
        composing,
    )
    assert was_kept
    expect(alice.page.get_by_label("Message", exact=True)).to_have_value(text)
    alice.page.get_by_label("Message", exact=True).press("Enter")
    alice.sees(text)


def test_markdown_is_shown_and_html_is_not(person, anything):
    alice = person("Alice")
    mark = anything("kiln")
    alice.say(f"**{mark}** `code` <b>no</b> https://example.org/path")
    message = alice.message(mark)
    expect(message.locator("strong")).to_have_text(mark)
    expect(message.locator("code")).to_have_text("code")
    expect(message.locator("b")).to_have_count(0)
    expect(message.get_by_role("link", name="example.org")).to_have_attribute("rel", re.compile("noopener"))


def test_nothing_white_and_too_much_are_refused_with_a_reason(person):
    alice = person("Alice")
    box = alice.page.get_by_label("Message", exact=True)
    problem = alice.page.get_by_role("alert")
    box.press("Enter")
    expect(problem).to_contain_text("The message is empty")
    box.fill(" \n ")
    box.press("Enter")
    expect(problem).to_contain_text("The message is empty")
    box.fill("😅" * 3950)
    expect(problem).to_be_hidden()
    expect(alice.page.get_by_text("50 left")).to_be_visible()
    box.fill("😅" * 4003)
    expect(alice.page.get_by_text("3 too many")).to_be_visible()
    box.press("Enter")
    expect(problem).to_contain_text("3 characters too long")
    expect(box).to_have_value("😅" * 4003)  # what was typed is kept


def test_refused_messages_show_the_reason_and_can_be_retried(person, anything):
    alice = person("Alice")
    # The page takes these for characters; the server knows that nobody can see them.
    alice.say("\u2800\u2800")
    pending = alice.page.locator("[data-pending] [data-message]")
    expect(pending).to_contain_text("Not sent. The message is empty")
    after = anything("the next one goes")
    alice.say(after)
    alice.sees(after)
    expect(pending).to_have_count(1)
    pending.get_by_role("button", name="Try again").click()
    expect(pending).to_contain_text("Not sent.")
    alice.page.reload()
    expect(pending).to_contain_text("Not sent.")
    pending.get_by_role("button", name="Edit").click()
    expect(pending).to_have_count(0)
    box = alice.page.get_by_label("Message", exact=True)
    expect(box).to_have_value("\u2800\u2800")
    box.press("Enter")
    pending.get_by_role("button", name="Discard").click()
    expect(pending).to_have_count(0)


def test_typed_text_survives_a_reload_and_the_end_of_the_session(person, anything):
    alice = person("Alice")
    text = anything("half a sentence")
    box = alice.page.get_by_label("Message", exact=True)
    box.press_sequentially(text)
    alice.page.reload()
    expect(box).to_have_value(text)
    alice.log_out()
    alice.page.wait_for_url(lambda url: "/chatroom" not in url)
    alice.log_in()
    expect(box).to_have_value(text)


def test_a_draft_is_of_an_account_not_of_a_browser(person, anything):
    alice = person("Alice")
    alice.write(anything("secret"))
    alice.log_out()
    alice.page.wait_for_url(lambda url: "/chatroom" not in url)
    alice.name, alice.username = f"Other {alice.name}", f"other{alice.username}"
    alice.register_by_form().await_state("Live")  # by then a draft would have been offered
    expect(alice.page.get_by_label("Message", exact=True)).to_have_value("")


def test_several_tabs_show_the_same(person, anything):
    alice = person("Alice")
    people = alice.page.locator("[data-people-list]")
    tab = alice.open_tab()
    tab.goto(f"{alice.url}/chatroom")
    await_live(tab)
    text, after = anything("both"), anything("after")
    alice.say(text)
    alice.sees(text)
    message = tab.locator("[data-messages] [data-message]", has_text=text)
    expect(message).to_have_count(1)
    alice.say(after)
    tab.locator("[data-messages] [data-message]", has_text=after).wait_for()
    expect(message).to_have_count(1)
    # One person, however many tabs.
    expect(tab.locator("[data-people-list]").get_by_text(alice.name)).to_have_count(1)
    tab.close()
    expect(people.get_by_text(person("Bob").name)).to_be_visible()  # who comes later is told of later
    expect(people.get_by_text(alice.name)).to_have_count(1)


def test_many_messages_in_a_row_keep_their_order(person, anything):
    alice, bob = person("Alice"), person("Bob")
    mark = anything("row")
    for number in range(15):
        alice.say(f"{mark} n{number:02}")
    for somebody in (alice, bob):
        expect(bodies(somebody, mark)).to_have_text([f"{mark} n{number:02}" for number in range(15)])
