"""What goes on in one's other rooms: counts that appear while one looks, survive an outage, and end on every device."""

import re

from playwright.sync_api import expect

from tests.browser.steps import act, await_live, await_read, make_room, open_room, say, say_many, still, unread_of
from tests.waiting import wait_until

KEEP_TYPING = """(box, text) => {
  const tell = () => box.value ? box.dispatchEvent(new Event("input", { bubbles: true })) : clearInterval(timer);
  const timer = setInterval(tell, 500);
  box.value = text;
  tell();
}"""


def item(page, title):
    """A room in the list, by its name and what is said of it."""
    return page.get_by_role("navigation", name="Rooms").get_by_role(
        "link", name=re.compile(f"^(?!Arrange ).*{re.escape(title)}")
    )


def expect_count(page, title, count):
    badge = item(page, title).locator("[data-room-count]")
    if count:
        expect(badge).to_have_text(str(count))
        expect(badge).to_be_visible()
    else:
        expect(badge).to_be_hidden()


def look_at_once(somebody, slug, title):
    """Whoever is added sees a number, for the line that says so, until they look at the room, on any page."""
    expect_count(somebody.page, title, 1)
    assert somebody.context.request.get(f"{somebody.url}/chatroom/{slug}/messages").ok
    expect_count(somebody.page, title, 0)


def test_a_room_that_one_is_taken_into_appears_and_its_counts_are_live(person, anything):
    alice, bob, carol = person("Alice"), person("Bob"), person("Carol")
    title = anything("Plans")
    slug = make_room(bob, title, alice, carol)
    expect(item(alice.page, title)).to_be_visible()
    look_at_once(alice, slug, title)
    say(carol, slug, "one")
    say(bob, slug, "two")
    expect_count(alice.page, title, 2)
    expect(alice.page).to_have_title(re.compile("^• "))
    say(carol, slug, f"@{alice.username} three")
    badge = item(alice.page, title).locator("[data-room-count]")
    expect(badge).to_have_class(re.compile("room-count--urgent"))
    expect(badge).to_have_text("1")
    expect(item(alice.page, title)).to_contain_text("1 mention, 3 unread")
    expect(alice.page).to_have_title(re.compile(r"^\(1\) "))
    expect(alice.page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("^data:image/svg"))


def test_counts_survive_an_outage_and_end_on_every_device(person, anything):
    alice, bob = person("Alice"), person("Bob")
    title = anything("Plans")
    slug = make_room(bob, title, alice)
    other_tab = alice.open_tab()
    other_tab.goto(f"{alice.url}/chatroom")
    await_live(other_tab)
    look_at_once(alice, slug, title)
    say(bob, slug, "one")
    expect_count(alice.page, title, 1)
    alice.context.set_offline(True)
    alice.await_state("Offline")
    say(bob, slug, "two", "three")
    alice.context.set_offline(False)
    alice.await_state("Live")
    for page in (alice.page, other_tab):
        expect_count(page, title, 3)
    other_tab.reload()
    expect_count(other_tab, title, 3)
    await_live(other_tab)
    item(alice.page, title).click()
    expect(alice.page.get_by_role("heading", level=1)).to_have_text(title)
    for page in (alice.page, other_tab):
        expect_count(page, title, 0)
    expect(other_tab).to_have_title(re.compile("^Lobby"))
    say(bob, slug, "four")
    alice.sees("four")
    await_read(alice, slug)
    later = anything("later")
    say(bob, "lobby", later)  # what the other tab hears after all that
    other_tab.locator("[data-messages] [data-message]", has_text=later).wait_for()
    expect_count(other_tab, title, 0)


def test_a_message_marked_as_unread_stays_so_until_the_room_is_opened_again(person, anything):
    alice, bob = person("Alice"), person("Bob")
    one, two = anything("one"), anything("two")  # the lobby has the messages of other tests
    say(bob, "lobby", one, two)
    alice.sees(two)
    act(alice, two, "Mark as unread")
    expect(alice.page.locator(".mark + [data-message]")).to_contain_text(two)
    expect_count(alice.page, "Lobby", 1)
    say(bob, "lobby", "three")
    expect_count(alice.page, "Lobby", 2)
    alice.page.evaluate("window.dispatchEvent(new Event('blur'))")  # a page reports what was read at once
    assert unread_of(alice, "lobby") == 2
    alice.page.reload()
    expect(alice.page.locator(".mark + [data-message]")).to_contain_text(two)
    await_read(alice, "lobby")
    expect_count(alice.page, "Lobby", 0)


def test_a_page_opens_at_the_read_position_and_links_to_the_newest(person, anything):
    alice, bob = person("Alice"), person("Bob")
    title = anything("Plans")
    slug = make_room(bob, title, alice)
    say_many(bob, slug, (f"old {number}" for number in range(20)))
    open_room(alice, slug).sees("old 19")
    alice.page.locator("[data-log]").evaluate("(log) => log.scrollTo(0, log.scrollHeight)")
    await_read(alice, slug)
    alice.enter()
    say_many(bob, slug, (f"new {number}" for number in range(30)))
    expect_count(alice.page, title, 30)
    item(alice.page, title).click()
    mark = alice.page.locator(".mark")
    expect(mark).to_be_in_viewport()
    expect(mark.locator("+ [data-message]")).to_contain_text("new 0")
    expect(alice.message("new 29")).not_to_be_in_viewport()
    alice.page.get_by_role("button", name="Go to the newest").click()
    expect(alice.message("new 29")).to_be_in_viewport()
    expect(alice.page.locator("[data-log]")).to_be_focused()


def test_typing_is_shown_until_the_message_arrives(person):
    alice, bob, carol = person("Alice"), person("Bob"), person("Carol")
    line = alice.page.locator("[data-typing]")
    still(alice.page)
    box = line.bounding_box()
    # They go on typing until they have said it, or let go of it: nothing is over because a machine is slow.
    bob.page.get_by_label("Message", exact=True).evaluate(KEEP_TYPING, "hello")
    expect(line).to_have_text(f"{bob.name} is typing…")
    wait_until(lambda: line.bounding_box() == box, "the line takes no more place than before")
    carol.page.get_by_label("Message", exact=True).evaluate(KEEP_TYPING, "hi")
    pair = f"{bob.name} and {carol.name}|{carol.name} and {bob.name}"
    expect(line).to_have_text(re.compile(f"^({pair}) are typing…$"))
    expect(bob.page.locator("[data-typing]")).to_have_text(f"{carol.name} is typing…")  # and not he himself
    bob.page.get_by_label("Message", exact=True).press("Enter")
    expect(line).to_have_text(f"{carol.name} is typing…")
    carol.write("")
    expect(line).to_have_text("")


def test_ctrl_k_goes_to_a_room_or_a_person(person, anything):
    alice, bob = person("Alice"), person("Bob")
    title = anything("Wärme")
    make_room(bob, title, alice)
    expect(item(alice.page, title)).to_be_visible()
    alice.page.keyboard.press("Control+k")
    field = alice.page.get_by_role("combobox", name="Room or person")
    expect(field).to_be_focused()
    field.fill(title.replace("ä", "a").lower())
    expect(alice.page.get_by_role("option", selected=True)).to_contain_text(title)
    field.press("Enter")
    expect(alice.page.get_by_role("heading", level=1)).to_have_text(title)
    alice.await_state("Live")
    alice.page.keyboard.press("Control+k")
    field.fill(bob.name)
    expect(alice.page.get_by_role("option", name=bob.name)).to_be_visible()
    field.press("Escape")
    expect(field).to_be_hidden()


def test_on_a_phone_the_list_is_a_drawer_with_and_without_a_script(person, anything):
    bob = person("Bob")
    for has_script in (True, False):
        alice = person("Alice", viewport={"width": 360, "height": 720}, java_script_enabled=has_script)
        title = anything("Plans")
        make_room(bob, title, alice)
        alice.page.goto(f"{alice.url}/chatroom")
        expect(item(alice.page, title)).to_be_hidden()
        alice.page.get_by_role("button", name="Rooms", exact=True).click()
        item(alice.page, title).click()
        expect(alice.page.get_by_role("heading", level=1)).to_have_text(title)


def test_a_long_list_is_filtered_by_typing(person, anything):
    alice = person("Alice")
    titles = [anything(f"Number {number}") for number in range(9)]
    for title in titles:
        make_room(alice, title)
    alice.page.reload()
    alice.await_state("Live")
    field = alice.page.get_by_role("searchbox", name="Filter the rooms")
    field.fill("NUMBER 3")
    expect(item(alice.page, titles[3])).to_be_visible()
    expect(item(alice.page, titles[4])).to_be_hidden()
    field.press("Enter")
    expect(alice.page.get_by_role("heading", level=1)).to_have_text(titles[3])


def test_a_room_is_starred_by_keyboard_and_a_pencil_marks_a_draft_in_another_tab(person, anything):
    alice = person("Alice")
    title = anything("Plans")
    slug = make_room(alice, title)
    page, other_tab = alice.page, alice.open_tab()
    other_tab.goto(f"{alice.url}/chatroom/{slug}")
    page.get_by_role("button", name=f"Arrange {title}").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("menuitem", name="Star", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Starred")).to_contain_text(title)
    expect(page.get_by_role("button", name=f"Arrange {title}")).to_be_focused()
    other_tab.get_by_role("textbox", name="Message").fill("almost")
    expect(item(page, title)).to_contain_text("draft")
    other_tab.get_by_role("textbox", name="Message").fill("")
    expect(item(page, title)).not_to_contain_text("draft")
