"""Messages are changed, answered and led to: live, after an absence, by keyboard, on a phone, and without a script."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.steps import act, make_room, open_room, say, say_many, sequence_of, still, stored, token_of
from tests.waiting import wait_until

NO_SCRIPT = {"java_script_enabled": False}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def edit(person, text, new):
    act(person, text, "Edit")
    box = person.page.get_by_label("Edit the message")
    expect(box).to_be_focused()
    box.fill(new)
    box.press("Enter")
    person.sees(new)


def test_a_focused_message_has_its_toolbar_as_soon_as_it_is_stored(person, anything):
    """Its author sees it a moment earlier, and can go to it by keyboard."""
    alice, text = person("Alice"), anything("focused")
    held, sockets = [], []

    def hold_back(socket):
        sockets.append(socket)
        server = socket.connect_to_server()
        server.on_message(lambda frame: held.append(frame) if text in frame else socket.send(frame))

    alice.page.route_web_socket("**/live**", hold_back)
    alice.page.reload()
    alice.await_state("Live")
    alice.say(text)
    provisional = alice.message(text)
    expect(provisional.locator(".message__plain")).to_be_visible()
    alice.page.locator("[data-log]").focus()
    alice.page.keyboard.press("ArrowUp")
    expect(provisional).to_be_focused()
    wait_until(lambda: alice.page.evaluate("true") and held, "the change does not arrive")
    expect(provisional.get_by_role("toolbar")).to_have_count(0)
    for frame in held:
        sockets[-1].send(frame)
    expect(stored(alice, text).get_by_role("button", name="More actions")).to_be_visible()


def test_an_edit_and_a_deletion_are_seen_at_once_and_after_an_absence(person, anything):
    alice, bob = person("Alice"), person("Bob")
    first, second, third = anything("first"), anything("second"), anything("third")
    alice.post(first, second)
    for somebody in (alice, bob):
        somebody.sees(second)
    edit(alice, first, third)
    bob.sees(third)
    expect(bob.message(third).locator("[data-edited]")).to_have_text(re.compile(r"^edited \d\d:\d\d$"))
    expect(bob.message(first)).to_have_count(0)
    expect(bob.message(third).locator("[data-edited][href]")).to_have_count(0)
    expect(alice.message(third).locator("[data-edited]")).to_have_attribute("href", re.compile(r"/\d+/changes$"))

    bob.context.set_offline(True)
    bob.await_state("Offline")
    sequence = sequence_of(alice, second)
    act(alice, second, "Delete")
    expect(alice.page.get_by_role("button", name="Cancel")).to_be_focused()
    alice.page.get_by_role("button", name="Delete", exact=True).click()
    expect(alice.message(second)).to_have_count(0)
    edit(alice, third, first)
    bob.context.set_offline(False)
    bob.await_state("Live")
    bob.sees(first)
    for somebody in (alice, bob):
        tombstone = somebody.page.locator(f"[data-sequence='{sequence}']")
        expect(tombstone).to_contain_text("This message was deleted.")
        tombstone.hover()
        expect(tombstone.get_by_role("button", name="Reply")).to_have_count(0)


def test_users_change_only_their_own_messages(person, anything):
    alice, bob = person("Alice"), person("Bob")
    text = anything("hers")
    alice.say(text)
    bob.sees(text)
    bob.message(text).hover()
    bob.message(text).get_by_role("button", name="More actions").click()
    menu = bob.page.get_by_role("menu")
    expect(menu.get_by_role("menuitem", name="Copy link")).to_be_visible()
    expect(menu.get_by_role("menuitem", name="Edit")).to_have_count(0)
    expect(menu.get_by_role("menuitem", name="Delete")).to_have_count(0)


def test_an_edit_that_is_refused_or_unanswered_keeps_the_typed_text(person, anything):
    alice = person("Alice")
    text, new = anything("old"), anything("new")
    alice.say(text)
    alice.sees(text)
    act(alice, text, "Edit")
    box = alice.page.get_by_label("Edit the message")
    box.fill(" ")
    box.press("Enter")
    expect(alice.page.locator(".editor__problem")).to_contain_text("The message is empty")
    box.fill(new)
    alice.context.set_offline(True)
    alice.await_state("Offline")
    box.press("Enter")
    expect(alice.page.locator(".editor__problem")).to_contain_text("not known whether this was saved")
    expect(box).to_have_value(new)
    alice.context.set_offline(False)
    alice.await_state("Live")
    alice.sees(new)
    expect(box).to_have_count(0)


def test_an_edit_made_elsewhere_is_shown_before_it_is_replaced(person, anything):
    alice = person("Alice")
    text, theirs, mine = anything("one"), anything("two"), anything("three")
    alice.say(text)
    alice.sees(text)
    act(alice, text, "Edit")
    box = alice.page.get_by_label("Edit the message")
    box.fill(mine)
    message = alice.page.locator("[data-message]", has=box)
    id = message.get_attribute("data-id")
    answer = alice.context.request.patch(
        f"{alice.url}/api/rooms/lobby/messages/{id}", data={"text": theirs}, headers={"X-CSRFToken": token_of(alice)}
    )
    assert answer.status == 200
    box.press("Enter")
    expect(alice.page.locator(".editor__problem")).to_contain_text("changed in the meantime")
    expect(message.locator("[data-body]")).to_have_text(theirs)
    expect(box).to_have_value(mine)
    box.press("Enter")
    alice.sees(mine)


def test_a_reply_quotes_the_current_text(person, anything):
    alice, bob = person("Alice"), person("Bob")
    question, answer, better = anything("question"), anything("answer"), anything("better")
    alice.say(f"**{question}** & more")
    bob.sees(question)
    act(bob, question, "Reply")
    bar = bob.page.locator("[data-reply]")
    expect(bar).to_contain_text(f"{alice.name} {question} & more")
    expect(bob.page.get_by_label("Message", exact=True)).to_be_focused()
    bob.page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    act(bob, question, "Reply")
    bob.say(answer)
    expect(bar).to_be_hidden()
    alice.sees(answer)
    quote = alice.message(answer).locator("[data-quote]")
    expect(quote).to_have_text(f"{alice.name} {question} & more")

    alice.page.get_by_label("Message", exact=True).press("ArrowUp")
    box = alice.page.get_by_label("Edit the message")
    expect(box).to_have_value(f"**{question}** & more")
    still(alice.page)
    height = quote.bounding_box()["height"]
    box.fill(f"{better}\n\nand more")
    box.press("Enter")
    for somebody in (alice, bob):
        quoted = somebody.message(answer).locator("[data-quote]")
        expect(quoted).to_have_text(f"{alice.name} {better} and more")
        still(somebody.page)
        assert quoted.bounding_box()["height"] == height, "a quote is always one line"
    bob.page.reload()
    bob.await_state("Live")
    expect(bob.message(answer).locator("[data-quote]")).to_have_text(f"{alice.name} {better} and more")


def test_a_quote_of_an_unloaded_message_changes_and_links_to_it(person, anything):
    alice, bob = person("Alice"), person("Bob")
    slug = make_room(alice, anything("Distances"), bob)
    far, near, answer = anything("far"), anything("near"), anything("answer")
    (sequence,) = say(alice, slug, far)
    say_many(alice, slug, (f"{near} {number:03} {'and more ' * 30}" for number in range(60)))
    posted = alice.context.request.post(
        f"{alice.url}/api/rooms/{slug}/messages",
        data={"text": answer, "reply_to": sequence},
        headers={"X-CSRFToken": token_of(alice)},
    )
    assert posted.status == 201, posted.text()
    open_room(bob, slug)
    expect(bob.message(f"{near} 059")).to_be_attached()
    quote = bob.message(answer).locator("[data-quote]")
    expect(quote).to_have_text(f"{alice.name} {far}")
    edit(open_room(alice, slug), f"{near} 059", anything("x"))  # which lets Bob's page ask for what is quoted
    open_room(alice, f"{slug}/{sequence}")
    changed = anything("changed")
    edit(alice, far, changed)
    expect(quote).to_have_text(f"{alice.name} {changed}")
    quote.click()
    expect(bob.page).to_have_url(re.compile(f"/chatroom/{slug}/{sequence}$"))
    target = bob.page.locator(".message--target")
    expect(target).to_contain_text(changed)
    expect(target).to_be_in_viewport()


def test_a_permalink_opens_around_its_message_and_returns_to_live(person, anything):
    alice, bob = person("Alice"), person("Bob")
    slug = make_room(alice, anything("Lines"), bob)
    mark, count = anything("line"), 130
    sequences = say_many(alice, slug, (f"{'and on ' * 20}{mark} {number:03}" for number in range(count)))
    there = f"{slug}/{sequences[40]}"
    page = bob.page
    open_room(bob, there)
    target = page.locator(".message--target")
    expect(target).to_contain_text(f"{mark} 040")
    expect(target).to_be_in_viewport()
    pill = page.get_by_role("button", name="Go to the newest")
    expect(pill).to_be_visible()
    live = anything("live")
    say(alice, slug, live)
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    expect(bob.message(live)).to_have_count(0)

    log = page.locator("[data-log]")

    def go_down():
        log.evaluate("(log) => log.scrollBy(0, 1200)")
        return bob.message(live).count()

    wait_until(go_down, "the end does not come")
    numbers = [int(text.split()[-1]) for text in bob.texts(mark)]
    assert numbers == list(range(numbers[0], count)), "no message is missing on the way down"
    log.evaluate("(log) => log.scrollTo(0, log.scrollHeight)")
    expect(page.locator(".new-pill")).to_be_hidden()
    again = anything("again")
    say(alice, slug, again)
    expect(bob.message(again)).to_be_in_viewport()

    open_room(bob, there)
    page.get_by_role("button", name="Go to the newest").click()
    expect(bob.message(again)).to_be_in_viewport()
    expect(page).to_have_url(re.compile(f"/chatroom/{slug}$"))


def test_links_texts_and_code_are_copied_and_a_time_is_a_link(person, anything):
    alice = person("Alice", permissions=["clipboard-read", "clipboard-write"])
    text = anything("linked")
    alice.say(text)
    alice.sees(text)
    link = f"{alice.url}/chatroom/lobby/{sequence_of(alice, text)}"
    act(alice, text, "Copy link")
    expect(alice.page.get_by_text("The link was copied.")).to_be_visible()
    assert alice.page.evaluate("navigator.clipboard.readText()") == link
    code = f"for each in all:\n    print(each, '{anything('code')}')"
    written = f"**look:**\n\n```python\n{code}\n```"
    alice.post(written)
    act(alice, code.split("'")[1], "Copy text")
    copied = alice.page.get_by_text("Copied.", exact=True)
    expect(copied).to_be_visible()
    assert alice.page.evaluate("navigator.clipboard.readText()") == written
    expect(copied).to_be_hidden()
    stored(alice, code.split("'")[1]).locator("pre").focus()
    alice.page.keyboard.press("Tab")
    alice.page.keyboard.press("Enter")
    expect(copied).to_be_visible()
    assert alice.page.evaluate("navigator.clipboard.readText()") == code
    bob = person("Bob")
    other = anything("other")
    bob.say(other)
    bob.sees(other)
    bob.message(text).locator("[data-permalink]").click()
    expect(bob.page).to_have_url(link)


def test_a_day_is_gone_to_in_the_readers_zone(person, anything):
    alice = person("Alice", timezone_id="Pacific/Auckland")
    text = anything("today")
    alice.say(text)
    day = "(time) => new Date(time.dateTime).toLocaleDateString('sv-SE')"
    alice.page.locator("#room-title button").click()
    alice.page.get_by_text("Jump to date").click()
    alice.page.get_by_label("Date").fill(stored(alice, text).locator("time").evaluate(day))
    alice.page.get_by_role("button", name="Go", exact=True).click()
    alice.page.wait_for_url(re.compile(r"/chatroom/lobby/\d+$"))
    expect(alice.page.locator(".message--target")).to_be_visible()


def test_all_of_it_by_keyboard(person, anything):
    alice = person("Alice")
    page, keys = alice.page, alice.page.keyboard
    texts = [anything("one"), anything("two"), anything("three")]
    for text in texts:
        alice.say(text)
        stored(alice, text).wait_for()
    keys.press("Escape")
    keys.press("ArrowUp")
    box = page.get_by_label("Edit the message")
    expect(box).to_have_value(texts[2])
    keys.press("Escape")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()

    page.locator("[data-log]").focus()
    keys.press("ArrowUp")
    expect(alice.message(texts[2])).to_be_focused()
    keys.press("ArrowUp")
    expect(alice.message(texts[1])).to_be_focused()
    keys.press("e")
    expect(box).to_have_value(texts[1])
    changed = anything("changed")
    box.fill(changed)
    keys.press("Enter")
    alice.sees(changed)
    expect(alice.message(changed)).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("menu")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(alice.message(changed)).to_be_focused()
    keys.press("a")
    expect(page.locator("[data-reply]")).to_contain_text(changed)
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    keys.type("yes")
    keys.press("Enter")
    expect(page.locator("[data-messages] [data-quote]", has_text=changed)).to_be_visible()

    page.locator("[data-log]").focus()
    keys.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    for words in ("Search", "Edit your last message", "Reply", "Copy link", "Delete"):
        expect(dialog.get_by_text(re.compile(f"^{words}"))).to_be_visible()
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    keys.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(dialog).to_be_visible()


def test_on_a_phone(person, anything):
    alice = person("Alice", **PHONE)
    text, new = anything("small"), anything("smaller")
    alice.post(text)
    alice.sees(text)
    more = stored(alice, text).get_by_role("link", name="Actions")
    more.tap()
    menu = alice.page.get_by_role("menu")
    expect(menu.get_by_role("menuitem", name="Edit")).to_be_visible()
    still(alice.page)
    for item in menu.get_by_role("menuitem").all():
        assert item.bounding_box()["height"] >= 44
    menu.get_by_role("menuitem", name="Edit").tap()
    alice.page.get_by_label("Edit the message").fill(new)
    alice.page.get_by_role("button", name="Save").tap()
    alice.sees(new)
    alice.page.locator("#room-title button").tap()
    alice.page.get_by_text("Jump to date").tap()
    expect(alice.page.get_by_label("Date")).to_be_in_viewport(ratio=1)
    still(alice.page)
    overflow = alice.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0


def test_without_a_script(person, anything):
    alice, bob = person("Alice", **NO_SCRIPT), person("Bob")
    text, new, answer = anything("plain"), anything("plainer"), anything("answer")
    bob.say(text)
    bob.sees(text)

    def open_page(words):
        frame = alice.page.frame_locator("iframe")
        frame.locator("[data-message]", has_text=words).last.get_by_role("link", name="Actions").click()
        alice.page.wait_for_url(re.compile(r"/chatroom/lobby/\d+$"))
        expect(alice.page.locator(".message--target")).to_be_in_viewport()

    open_page(text)
    alice.page.get_by_role("link", name="Reply", exact=True).click()
    alice.page.get_by_label("Message", exact=True).fill(answer)
    alice.page.get_by_role("button", name="Send message").click()
    expect(bob.message(answer).locator("[data-quote]")).to_have_text(f"{bob.name} {text}")
    open_page(answer)
    alice.page.get_by_text("Edit", exact=True).click()
    alice.page.get_by_label("Text", exact=True).fill(new)
    alice.page.get_by_role("button", name="Save").click()
    expect(alice.page.locator(".message--target")).to_contain_text(new)
    bob.sees(new)
    alice.page.get_by_text("Delete", exact=True).click()
    alice.page.get_by_role("button", name="Delete this message").click()
    expect(alice.page.locator(".message--target")).to_contain_text("This message was deleted.")
    expect(bob.message(new)).to_have_count(0)


@pytest.mark.parametrize("path", ["/chatroom/lobby/1", "/chatroom/lobby?before=2"])
def test_older_pages_have_no_errors(person, anything, path):
    alice = person("Alice")
    text = anything("x")
    alice.say(text)
    alice.sees(text)
    problems = []
    alice.page.on("pageerror", lambda error: problems.append(str(error)))
    alice.page.goto(f"{alice.url}{path}")
    # The script has been through the page: its times are in the reader's zone, which needs no name.
    expect(alice.page.locator("[data-messages] time[data-time=clock]").first).to_have_text(re.compile(r"^\d\d:\d\d$"))
    still(alice.page)
    assert problems == []
