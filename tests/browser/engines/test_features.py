"""What engines do differently: scrolling, focus, storage, the clipboard, media, and the cache of pages."""

from selenium.webdriver.common.keys import Keys

TOP = "return document.querySelector(`[data-sequence='${arguments[0]}']`).getBoundingClientRect().top"
IN_VIEW = "[...document.querySelectorAll('[data-message]')].find((each) => each.getBoundingClientRect().top > 150)"


def test_older_messages_do_not_move_what_is_read(visitor, anything):
    alice = visitor("Alice")
    alice.post(*[f"{anything('line')}\n" * (1 + number % 5) for number in range(90)])
    alice.enter()
    alice.run("document.querySelector('[data-log]').scrollTop = 300")
    sequence = alice.run(f"return {IN_VIEW}.dataset.sequence")
    before, count = alice.run(TOP, sequence), alice.run("return document.querySelectorAll('[data-message]').length")
    alice.run("document.querySelector('[data-log]').scrollTop -= 250")
    alice.wait_for(f"document.querySelectorAll('[data-message]').length > {count}")
    assert abs(alice.run(TOP, sequence) - before - 250) <= 2


def test_a_suggestion_can_be_clicked(visitor, anything):
    """The text keeps the focus, also where a press on a list would take it."""
    alice, bob = visitor("Alice"), visitor("Bob")
    box = alice.field("Message")
    box.send_keys(f"{anything('hello')} @{bob.username}")
    alice.find("[role=option]", bob.name).click()
    assert box.get_property("value").endswith(f"@{bob.username} ")
    assert alice.driver.switch_to.active_element == box


def test_an_emoji_is_chosen(visitor):
    alice = visitor("Alice")
    alice.press("Emoji")
    alice.wait_for("document.querySelector('dialog[open] input')")
    alice.keys("rocket")
    alice.wait_for("document.querySelector('dialog[open]').innerText.includes('🚀')")
    alice.keys(Keys.ENTER)
    alice.wait_for("document.querySelector('[data-text]').value.startsWith('🚀')")
