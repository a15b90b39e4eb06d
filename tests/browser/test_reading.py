"""Reading: history without a jump, new messages that do not pull, times in the reader's zone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.steps import (
    add_member,
    await_read,
    bodies,
    make_room,
    open_room,
    say,
    say_many,
    still,
    stored,
    unread_of,
)
from tests.waiting import wait_until

PAGE = 50


def position(page, message):
    """Where a message stands in the log."""
    return message.evaluate("(it) => it.getBoundingClientRect().top")


def scroll_to(page, top):
    page.locator("[data-log]").evaluate("(log, top) => { log.scrollTop = top; }", top)


def await_end(page):
    """Wait until the end is in view."""
    at_end = "(log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2"
    wait_until(lambda: page.locator("[data-log]").evaluate(at_end), "the end is not in view")


def long(text):
    """So long that fifty of them are more than is loaded ahead."""
    return f"{text} {'and more ' * 30}"


def test_the_newest_are_in_view_and_older_ones_load_without_a_jump(person, anything):
    alice = person("Alice")
    slug, mark = make_room(alice, anything("History")), anything("old")
    say_many(alice, slug, (f"{mark} n{number:03} " + "word " * (number % 40) for number in range(3 * PAGE)))
    open_room(alice, slug)
    await_end(alice.page)
    expect(alice.message(f"{mark} n149")).to_be_in_viewport()
    expect(bodies(alice, mark)).to_have_count(PAGE)

    scroll_to(alice.page, 900)
    still(alice.page)
    anchor = alice.message(f"{mark} n110")
    before = position(alice.page, anchor)
    alice.page.mouse.move(500, 400)
    with alice.page.expect_response(re.compile("before=")):
        scroll_to(alice.page, 500)
    moved = 400
    expect(alice.page.locator("[data-messages] [data-message]").nth(PAGE + 10)).to_be_attached()
    assert abs(position(alice.page, anchor) - before - moved) < 2, "what was being read stays where it was"

    texts = alice.texts(mark)
    assert len(texts) >= 2 * PAGE
    assert texts == sorted(texts)

    def go_up():
        scroll_to(alice.page, 0)
        return alice.page.locator("[data-older]").is_hidden()

    wait_until(go_up, "the beginning does not come")
    texts = [re.search(r"n\d+", text).group() for text in alice.texts(mark)]
    assert texts == [f"n{number:03}" for number in range(3 * PAGE)], "without a gap, nothing twice"


def test_new_messages_do_not_pull_a_reader_down(person, anything):
    alice, bob = person("Alice"), person("Bob")
    slug, mark = make_room(bob, anything("Calm"), alice), anything("m")
    open_room(alice, slug)
    say_many(bob, slug, (f"{mark} {number}" for number in range(45)))
    alice.sees(f"{mark} 44")
    expect(alice.message(f"{mark} 44")).to_be_in_viewport()
    scroll_to(alice.page, 300)
    still(alice.page)
    reading = alice.message(f"{mark} 20")
    before = position(alice.page, reading)
    say(bob, slug, *(f"{mark} new {number}" for number in (1, 2, 3)))
    pill = alice.page.get_by_role("button", name="3 new")
    expect(pill).to_be_visible()
    assert abs(position(alice.page, reading) - before) < 2
    pill.click()
    expect(alice.message(f"{mark} new 1")).to_be_in_viewport()
    expect(alice.message(f"{mark} new 3")).to_be_in_viewport()
    expect(alice.page.locator(".mark")).to_have_text("New")
    expect(pill).to_be_hidden()


def test_posting_while_reading_older_messages_scrolls_to_the_end(person, anything):
    alice = person("Alice")
    slug, text = make_room(alice, anything("Heights")), anything("mine")
    say_many(alice, slug, (long(f"m {number}") for number in range(40)))
    open_room(alice, slug)
    scroll_to(alice.page, 300)
    still(alice.page)
    alice.say(text)
    alice.sees(text)
    expect(alice.message(text)).to_be_in_viewport()
    await_end(alice.page)


def test_the_end_stays_in_view_when_the_window_shrinks(person, anything):
    """A phone's keyboard opens: the newest message and the composer stay above it."""
    alice = person("Alice", viewport={"width": 390, "height": 780})
    slug, text = make_room(alice, anything("Keyboards")), anything("last")
    say_many(alice, slug, [*(long(f"m {number}") for number in range(20)), text])
    open_room(alice, slug)
    expect(alice.message(text)).to_be_in_viewport()
    alice.page.set_viewport_size({"width": 390, "height": 420})
    still(alice.page)
    expect(alice.message(text)).to_be_in_viewport()
    expect(alice.page.get_by_label("Message", exact=True)).to_be_in_viewport(ratio=1)
    await_end(alice.page)


def test_times_are_in_the_readers_zone(person, anything):
    alice = person("Alice", timezone_id="Asia/Tokyo")
    text = anything("time")
    alice.say(text)
    for _ in range(2):
        time = stored(alice, text).locator("time")
        expected = time.evaluate(
            """(time) => new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit", timeZone: "Asia/Tokyo"})
                .format(new Date(time.dateTime))"""
        )
        expect(time).to_have_text(expected)
        expect(time).to_have_attribute("title", re.compile(r"20\d\d.*GMT\+9"))
        alice.page.reload()  # and what came with the page, too
        alice.await_state("Live")
    expect(alice.page.locator("[data-day]").last).to_have_text("Today")
    title = re.compile(r"^\w+day,? \d+ \w+ 20\d\d$")
    expect(alice.page.locator("[data-day] time").last).to_have_attribute("title", title)
    page = alice.context.request.get(f"{alice.url}/chatroom").text()
    assert "Times are in Asia/Tokyo" in page, "the server knows the zone"


def test_a_window_without_focus_reads_nothing(person, anything):
    """The window is visible on a second screen, or the computer is locked."""
    alice, bob = person("Alice"), person("Bob")
    slug, mark = make_room(bob, anything("Two screens"), alice), anything("m")
    open_room(alice, slug)
    alice.page.evaluate("document.hasFocus = () => Boolean(window.isBack)")
    say_many(bob, slug, (long(f"{mark} n{number:02}") for number in range(30)))
    alice.sees(f"{mark} n29")
    expect(alice.page).to_have_title(re.compile(r"^• \S.* – Hello"))
    expect(alice.page.locator(".mark + *", has_text=f"{mark} n00")).to_be_in_viewport()
    alice.page.mouse.move(300, 300)
    other = alice.context.new_page()  # opened in the background: it comes with the page, but nobody sees it
    other.add_init_script("document.hasFocus = () => false")
    other.goto(f"{alice.url}/chatroom/{slug}")
    expect(other.locator("[data-state-text]")).to_have_text("Live")
    other.close()
    assert unread_of(alice, slug) == 30

    alice.page.evaluate("window.isBack = true; window.dispatchEvent(new Event('focus'))")
    await_read(alice, slug, left=range(1, 30))  # what is in view
    expect(alice.page.locator(".mark + *", has_text=f"{mark} n00")).to_be_in_viewport()
    alice.page.get_by_role("button", name=re.compile("new|newest")).click()
    await_read(alice, slug)
    expect(alice.page).to_have_title(re.compile(r"^[^•(].* – Hello"))

    alice.page.goto("about:blank")
    say_many(bob, slug, (long(f"{mark} later{number:02}") for number in range(30)))
    link = f"{alice.url}/chatroom/{slug}/50"
    alice.page.goto(link)
    alice.await_state("Live")
    assert unread_of(alice, slug) == 30, "a link jumps over messages, and they stay unread"
    alice.page.goto("about:blank")
    alice.page.goto(f"{link}#notified")
    await_read(alice, slug, left=range(1, 15))  # the message of the notification
    expect(alice.page).to_have_url(link)  # a copy of the address marks nothing as read
    scroll_to(alice.page, 0)
    expect(alice.page.locator(".message--target")).not_to_be_in_viewport()
    alice.page.evaluate("location.hash = 'notified'")  # the message was edited, and its new notification clicked
    expect(alice.page.locator(".message--target")).to_be_in_viewport()
    expect(alice.page).to_have_url(link)


@pytest.fixture
def with_small_pages(person):
    """A person whose pages keep few messages, so that a test need not post thousands."""

    def make(at_end, above):
        alice = person("Alice", service_workers="block")  # which would answer past the route

        def shrink(route):
            response = route.fetch()
            body = response.text().replace("KEPT_AT_END = 500", f"KEPT_AT_END = {at_end}")
            route.fulfill(response=response, body=body.replace("KEPT_ABOVE = 2000", f"KEPT_ABOVE = {above}"))

        alice.page.route("**/state/messages/reading.js", shrink)
        return alice

    return make


def test_a_long_session_keeps_a_bounded_page(with_small_pages, anything):
    """The oldest leave the page, and come back when somebody scrolls up to them."""
    alice = with_small_pages(60, 2000)
    slug, mark = make_room(alice, anything("Session")), anything("many")
    open_room(alice, slug)
    expected = [f"{mark} n{number:03}" for number in range(130)]
    say_many(alice, slug, expected)
    alice.sees(expected[-1])
    wait_until(lambda: alice.page.locator("[data-messages] [data-message]").count() <= 60, "none leave the page")

    def go_up():
        scroll_to(alice.page, 0)
        return alice.page.locator("[data-older]").is_hidden()

    wait_until(go_up, "the beginning does not come back")
    assert alice.texts(mark) == expected


def test_a_reader_far_above_does_not_load_all_new_messages(with_small_pages, person, anything):
    """What arrives is counted, and read when the reader comes back."""
    bob, alice = person("Bob"), with_small_pages(60, 80)
    slug, mark = make_room(bob, anything("Towers")), anything("far")
    before = [f"{mark} n{number:03}" for number in range(160)]
    say_many(bob, slug, before)
    add_member(bob, slug, alice)
    open_room(alice, slug)

    def go_up():
        scroll_to(alice.page, 0)
        return before[-1] not in alice.texts(mark)

    wait_until(go_up, "the newest do not leave the page")
    after = [f"{mark} n{number:03}" for number in range(160, 165)]
    say(bob, slug, *after)
    pill = alice.page.get_by_role("button", name="5 new")
    expect(pill).to_be_visible()
    assert after[-1] not in alice.texts(mark)
    pill.click()
    expect(alice.message(after[-1])).to_be_in_viewport()
    texts = alice.texts(mark)
    assert texts == (before + after)[-len(texts) :], "the end is whole, without a gap"
    say(bob, slug, f"{mark} n165")
    alice.sees(f"{mark} n165")
    expect(pill).to_be_hidden()


def test_older_messages_that_do_not_load_can_be_tried_again(person, anything):
    alice = person("Alice")
    slug = make_room(alice, anything("Cellar"))
    say_many(alice, slug, (long(f"m {number}") for number in range(60)))
    open_room(alice, slug)
    alice.page.route("**/api/rooms/**", lambda route: route.abort())
    scroll_to(alice.page, 0)
    link = alice.page.get_by_role("link", name="could not be loaded")
    expect(link).to_be_visible()
    alice.page.unroute("**/api/rooms/**")
    count = alice.page.locator("[data-messages] [data-message]").count()
    link.click()
    expect(alice.page.locator("[data-messages] [data-message]").nth(count)).to_be_attached()
