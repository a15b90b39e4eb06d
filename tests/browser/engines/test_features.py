"""What engines do differently: scrolling, focus, undo, storage, the clipboard, players, and kept pages."""

import io
import wave

from selenium.webdriver.common.keys import Keys

BOX = "return arguments[0].getBoundingClientRect()"
GO_UP = """
  document.querySelector("[data-log]").scrollTop = 100;
  const messages = [...document.querySelectorAll("[data-message]")];
  const read = messages.find((each) => each.getBoundingClientRect().top > 150);
  return [messages.length, read.dataset.sequence, read.getBoundingClientRect().top];
"""
TOP = "return document.querySelector(`[data-sequence='${arguments[0]}']`).getBoundingClientRect().top"
NO_SOCKET = """
  window.WebSocket = class {
    constructor() { setTimeout(() => this.onclose?.({ code: 1006 })); }
    addEventListener(kind, listener) { this[`on${kind}`] = listener; }
    close() {}
  };
"""


def test_older_messages_do_not_move_what_is_read(visitor, anything):
    """Safari has no scroll anchoring."""
    alice = visitor("Alice")
    alice.post(*[f"{anything('line')}\n" * (1 + number % 5) for number in range(90)])
    alice.enter()
    count, sequence, before = alice.run(GO_UP)
    alice.wait_for("document.querySelectorAll('[data-message]').length > arguments[0]", count)
    assert abs(alice.run(TOP, sequence) - before) <= 2


def test_a_clicked_suggestion_can_be_undone(visitor):
    """The text keeps the focus, also where a press on a list would take it."""
    alice, bob = visitor("Alice"), visitor("Bob")
    box, typed = alice.field("Message"), f"hello @{bob.username}"
    box.send_keys(typed)
    alice.find("[role=option]", bob.name).click()
    assert box.get_property("value") == f"{typed} "
    assert alice.driver.switch_to.active_element == box
    alice.run("document.execCommand('undo')")  # WebKit's driver does not pass Ctrl+Z to the window
    assert box.get_property("value") == typed


def test_an_emoji_is_chosen(visitor):
    alice = visitor("Alice")
    alice.press("Emoji")
    alice.wait_for("document.querySelector('dialog[open] input')")
    alice.keys("rocket")
    alice.wait_for("document.querySelector('dialog[open]').innerText.includes('🚀')")
    alice.keys(Keys.ENTER)
    alice.wait_for("document.querySelector('[data-text]').value.startsWith('🚀')")


def test_the_picker_of_a_reaction_is_next_to_its_message(visitor, anything):
    alice = visitor("Alice")
    text = anything("nice")
    alice.say(text)
    alice.act(text, "React…")
    picker, message = (alice.run(BOX, element) for element in (alice.find("dialog[open]"), alice.message(text)))
    assert abs(picker["right"] - message["right"]) < 60
    assert message["top"] - picker["bottom"] < 60
    alice.keys("rocket")
    alice.wait_for("document.querySelector('dialog[open]').innerText.includes('🚀')")
    alice.keys(Keys.ENTER)
    alice.find("[data-reaction]", "🚀")


def test_a_page_that_comes_back_is_live(visitor, anything):
    """WebKit keeps the page with its scripts, and ends its websocket."""
    alice, bob = visitor("Alice"), visitor("Bob")
    half, heard = anything("half"), anything("heard")
    alice.field("Message").send_keys(half)
    alice.go("/account")
    alice.driver.back()
    alice.wait_for("location.pathname.startsWith('/chatroom')")
    alice.await_state("Live")
    assert alice.field("Message").get_property("value") == half
    bob.say(heard)
    alice.message(heard)
    alice.say(" a whole")
    last = anything("last")
    alice.say(last)  # it comes after whatever is sent again
    bob.message(last)
    for somebody in (alice, bob):
        somebody.message(last)
        assert somebody.texts(half) == [f"{half} a whole"]


def test_two_tabs_send_their_messages_once(visitor, server, anything):
    alice, bob = visitor("Alice"), visitor("Bob")
    mark, driver = anything("tab"), alice.driver
    first = driver.current_window_handle
    alice.say(f"{mark} before")
    driver.switch_to.new_window("tab")
    second = driver.current_window_handle
    alice.enter()
    server.kill()
    for number, handle in enumerate((first, second)):
        driver.switch_to.window(handle)
        alice.await_state("Connection lost")
        alice.say(f"{mark} {number}")
    server.start()
    bob.message(f"{mark} 0")
    bob.message(f"{mark} 1")
    alice.message(f"{mark} 0")
    driver.close()
    driver.switch_to.window(first)
    alice.message(f"{mark} 1")
    alice.say(f"{mark} last")
    bob.message(f"{mark} last")
    assert sorted(bob.texts(mark)) == [f"{mark} {which}" for which in ("0", "1", "before", "last")]


def test_without_websockets_the_page_polls(visitor, server, anything):
    alice, bob = visitor("Alice"), visitor("Bob")
    alice.run(NO_SOCKET)
    server.kill()
    alice.await_state("Connection lost")
    server.start()
    alice.await_state("No live connection")
    bob.await_state("Live")
    hello, answer = anything("hello"), anything("answer")
    bob.say(hello)
    alice.message(hello)
    alice.say(answer)
    bob.message(answer)


def test_the_page_is_there_without_the_server(visitor, server, anything):
    """The service worker shows the room as it was last seen, and else says that there is no connection."""
    alice = visitor("Alice")
    text = anything("kept")
    alice.say(text)
    alice.message(text)
    alice.wait_for("navigator.serviceWorker.controller")
    alice.enter()
    server.kill()
    alice.go("/chatroom")
    alice.message(text)
    alice.go("/account")
    alice.find("body", "There is no connection right now")
    server.start()
    alice.enter()


def test_a_copied_link_can_be_pasted(visitor, anything):
    alice = visitor("Alice")
    text = anything("linked")
    alice.say(text)
    alice.act(text, "Copy link")
    alice.find("[role=status]", "The link was copied.")
    alice.field("Message").click()
    alice.keys(Keys.CONTROL, "v")
    sequence = alice.message(text).get_attribute("data-sequence")
    alice.wait_for("document.querySelector('[data-text]').value.endsWith(arguments[0])", f"/{sequence}")


def test_a_sound_can_be_played(visitor, anything, tmp_path):
    alice = visitor("Alice")
    text, file, sound = anything("listen"), tmp_path / "tone.wav", io.BytesIO()
    with wave.open(sound, "wb") as writing:
        writing.setparams((1, 2, 8000, 0, "NONE", ""))
        writing.writeframes(bytes(16_000))
    file.write_bytes(sound.getvalue())
    alice.driver.find_element("css selector", "[data-choose]").send_keys(str(file))
    alice.find("[data-attachments]", "tone")
    alice.say(text)
    alice.message(text)
    alice.wait_for("document.querySelector('[data-messages] > :last-child audio')?.duration === 1")
