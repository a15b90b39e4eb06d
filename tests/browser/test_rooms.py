"""Three people make rooms, let each other in and out, and talk alone."""

import re

from playwright.sync_api import expect

from tests.browser.steps import make_room_by_form, send

NOTE_WAITS = """() => {
  const line = document.querySelector("[data-wait]");
  window.waits = [];
  new MutationObserver(() => window.waits.push(line.textContent)).observe(line, { childList: true });
}"""


def test_a_private_room_its_link_and_a_removed_member(person, anything):
    alice, bob, mallory = person("Alice"), person("Bob"), person("Mallory")
    title = anything("Den")
    address = make_room_by_form(alice, title, "Private: only people who are invited")
    for stranger in (bob, mallory):
        assert stranger.page.request.get(address).status == 404

    alice.page.get_by_role("link", name="Invite people").first.click()
    alice.page.get_by_role("button", name="Create link").click()
    link = alice.page.get_by_label("Link", exact=True).input_value()
    alice.page.get_by_role("button", name="Copy").click()
    expect(alice.page.get_by_text("Copied.")).to_be_visible()
    search = alice.page.get_by_label("Search your rooms")
    search.press("Control+v")
    expect(search).to_have_value(link)
    alice.page.goto(address)
    for somebody in (bob, mallory):
        somebody.page.goto(link)
        somebody.page.get_by_role("button", name=f"Join {title}").click()
        somebody.await_state("Live")
        expect(alice.page.get_by_text(f"{somebody.name} joined")).to_be_visible()

    secret = anything("Only we know")
    alice.await_state("Live")
    alice.say(secret)
    mallory.sees(secret)

    settings = alice.open_tab()
    settings.goto(address.replace("/chatroom/", "/rooms/") + "/members")
    settings.get_by_role("button", name=f"Remove… {mallory.name}").click()
    settings.get_by_role("button", name=f"Yes, remove {mallory.name}").click()
    expect(settings.get_by_text(f"{mallory.name} was removed.")).to_be_visible()
    expect(mallory.page.get_by_text("You are no longer a member of this room.").first).to_be_visible()
    expect(mallory.page.locator("[data-composer]")).to_be_hidden()
    later = anything("She is gone")
    bob.say(later)
    alice.sees(later)
    expect(mallory.message(later)).to_have_count(0)
    assert mallory.page.request.get(address).status == 404


def test_a_room_that_is_changed_is_changed_on_every_page(person, anything):
    alice, bob = person("Alice"), person("Bob")
    address = make_room_by_form(alice, anything("Tea"))
    bob.page.goto(address)
    bob.await_state("Live")
    settings = alice.open_tab()
    settings.goto(address.replace("/chatroom/", "/rooms/") + "/settings")  # the former address
    name, topic = anything("Coffee"), anything("Beans")
    settings.get_by_label("Name", exact=True).fill(name)
    settings.get_by_label("Topic", exact=True).fill(topic)
    settings.get_by_role("button", name="Save").click()
    expect(settings.get_by_role("status")).to_be_visible()
    settings.get_by_role("link", name="Rules").click()
    settings.get_by_label("Slow mode").fill("6")
    settings.get_by_role("button", name="Save").click()
    expect(settings.get_by_role("status")).to_be_visible()
    expect(bob.page.get_by_role("heading", name=name)).to_be_visible()
    expect(bob.page.locator("[data-room-topic]").first).to_have_text(topic)
    first, second = anything("First"), anything("Second")
    bob.page.evaluate(NOTE_WAITS)
    bob.say(first)
    bob.page.wait_for_function(r"() => window.waits.some((text) => /^Next message in \d s$/.test(text))")
    bob.say(second)
    expect(bob.page.locator("[data-pending] .message__state")).to_have_text(re.compile(r"^Waiting \d s$"))
    bob.sees(second)

    in_room = {"room": address.rsplit("/", 1)[1]}
    author = bob.message(second).last.get_attribute("data-author")
    send(alice, f"/people/{author}/mute", reason="to hear others", duration="1h", **in_room)
    expect(bob.page.locator("[data-writing-note]")).to_have_text(
        re.compile("^You are muted here until .*: to hear others$")
    )
    expect(bob.page.locator("[data-composer]")).to_be_hidden()
    bob.page.reload()
    expect(bob.page.locator("[data-writing-note]")).to_have_text(
        re.compile("^You are muted here until .*: to hear others$")
    )
    bob.await_state("Live")
    send(alice, f"/people/{author}/unmute", **in_room)
    expect(bob.page.locator("[data-composer]")).to_be_visible()

    settings.get_by_role("link", name="Danger").click()
    settings.get_by_role("button", name="Archive").click()
    expect(bob.page.get_by_text("This room is archived")).to_be_visible()
    expect(bob.page.locator("[data-composer]")).to_be_hidden()
    settings.get_by_role("button", name="Reopen").click()
    expect(bob.page.locator("[data-composer]")).to_be_visible()


def test_two_people_talk_alone_and_the_other_need_not_reload(person, anything):
    alice, bob = person("Alice"), person("Bob")
    alice.page.goto(f"{alice.url}/people")
    to = alice.page.get_by_role("combobox", name="To")
    chip = alice.page.get_by_role("button", name=f"Remove {bob.name}")
    for _ in range(2):
        to.press("Backspace")
        expect(chip).to_have_count(0)
        to.fill(bob.name)
        expect(alice.page.get_by_role("option")).to_have_count(1)
        alice.page.get_by_role("button", name="Start conversation").click(trial=True)  # the suggestions do not cover it
        to.press("Enter")
        expect(chip).to_be_visible()
    to.press("Enter")
    expect(alice.page.get_by_role("heading", name=bob.name)).to_be_visible()
    entry = bob.page.get_by_role("navigation", name="Rooms").get_by_role("link", name=re.compile(alice.name))
    hello = anything("Psst")
    alice.await_state("Live")
    expect(entry).to_have_count(0)  # before the first message, the conversation is only on Alice's page
    alice.say(hello)
    expect(entry).to_be_visible()
    entry.click()
    expect(bob.page.get_by_role("heading", name=alice.name)).to_be_visible()
    bob.sees(hello)
