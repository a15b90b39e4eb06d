"""Two people talk in the same engine; nothing is lost, nothing is doubled."""

from selenium.webdriver.common.keys import Keys

from tests.pictures import make_picture
from tests.waiting import wait_until


def test_two_people_talk_live(visitor, anything):
    alice, bob = visitor("Alice"), visitor("Bob")
    hello, answer = anything("Hello **Bob**"), anything("Hello Alice")
    alice.say(hello)
    shown = hello.replace("*", "")
    message = bob.message(shown)
    assert message.find_element("css selector", "strong").text == "Bob"
    assert message.find_element("css selector", "[data-author-name]").get_property("textContent") == alice.name
    bob.say(answer)
    alice.message(answer)
    for somebody in (alice, bob):
        assert somebody.texts(shown) == [shown]
        assert somebody.texts(answer) == [answer]
        assert somebody.message(answer).rect["height"] < 64, "there is no space between a name and its text"


def test_the_composer_is_as_high_as_its_text(visitor, anything):
    alice = visitor("Alice")
    box, text = alice.field("Message"), anything("three")
    one_line = 40
    assert box.rect["height"] == one_line
    box.send_keys(text)
    for word in ("lines", "high"):
        alice.keys(Keys.SHIFT, Keys.ENTER)
        alice.keys(word)
    assert box.rect["height"] == one_line + 2 * 24
    alice.keys(Keys.ENTER)
    alice.message(text)
    assert box.rect["height"] == one_line
    assert alice.driver.switch_to.active_element == box
    assert alice.is_at_end


def test_edit_and_delete(visitor, anything):
    alice, bob = visitor("Alice"), visitor("Bob")
    first, second, gone = anything("first"), anything("second"), anything("gone")
    alice.say(first)
    alice.act(first, "Edit")
    alice.fill("Edit the message", second)
    alice.keys(Keys.ENTER)
    assert "edited" in bob.message(second).get_property("innerText")
    assert bob.texts(first) == []
    alice.say(gone)
    bob.message(gone)
    alice.act(gone, "Delete…")
    alice.press("Delete", "//dialog[@open]")
    wait_until(lambda: bob.texts(gone) == [])
    wait_until(lambda: alice.texts(gone) == [])


def test_the_server_was_away(visitor, server, anything):
    alice, bob = visitor("Alice"), visitor("Bob")
    mark = anything("m")
    for number in range(3):
        (alice, bob)[number % 2].say(f"{mark} before {number}")
        alice.message(f"{mark} before {number}")
    server.kill()
    alice.await_state("Connection lost")
    alice.say(f"{mark} while away")
    alice.find("[data-pending] [data-message]", "Waiting for the connection")
    server.start()
    for somebody in (alice, bob):
        somebody.await_state("Live")
        somebody.message(f"{mark} while away")
    bob.say(f"{mark} after")
    expected = [f"{mark} before {number}" for number in range(3)] + [f"{mark} while away", f"{mark} after"]
    for somebody in (alice, bob):
        somebody.message(f"{mark} after")
        assert somebody.texts(mark) == expected
    bob.driver.refresh()
    bob.await_state("Live")
    assert bob.texts(mark) == expected


def test_a_picture(visitor, anything, tmp_path):
    alice, bob = visitor("Alice"), visitor("Bob")
    text, file = anything("holiday"), tmp_path / "beach.jpg"
    file.write_bytes(make_picture(size=(600, 400)))
    alice.driver.find_element("css selector", "[data-choose]").send_keys(str(file))
    alice.find("[data-attachments]", "beach")
    alice.say(text)
    for somebody in (alice, bob):
        picture = somebody.message(text).find_element("css selector", "[data-file] img")
        wait_until(lambda picture=picture: picture.get_property("naturalWidth"), "the picture is not shown")
        assert picture.rect["width"] == 360
        wait_until(lambda somebody=somebody: somebody.is_at_end, "the picture moved the end out of view")
    bob.message(text).find_element("css selector", "[data-file] img").click()
    bob.wait_for("document.querySelector('dialog[open] img')?.naturalWidth")
    bob.keys(Keys.ESCAPE)
    bob.await_end("dialog[open]")
