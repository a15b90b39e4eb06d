"""Being told of what concerns one while one looks elsewhere, and what is there without a network."""

import re

from playwright.sync_api import Page, expect

from tests.browser.steps import token_of


def away(page: Page) -> None:
    """Let the page believe that its reader looks elsewhere, and note what it shows."""
    page.evaluate(
        """async () => {
          document.hasFocus = () => false;
          globalThis.shown = [];
          const registration = await navigator.serviceWorker.ready;
          ServiceWorkerRegistration.prototype.showNotification = async (title, details) =>
            globalThis.shown.push({ title, ...details });
          ServiceWorkerRegistration.prototype.getNotifications = async () =>
            shown.map((each) => ({ ...each, close: () => { shown = shown.filter(({ tag }) => tag !== each.tag); } }));
        }"""
    )


def titles_of(somebody, body):
    """Wait until something was shown with this body, and return the titles of all that was."""
    somebody.page.wait_for_function("(body) => shown.some((each) => each.body === body)", arg=body)
    return [each["title"] for each in somebody.page.evaluate("shown") if each["body"] == body]


def choose(somebody, what: str) -> None:
    somebody.page.goto(f"{somebody.url}/account/notifications")
    somebody.page.get_by_label("Lobby").select_option(label=what)
    somebody.page.get_by_role("button", name="Save").click()
    expect(somebody.page.get_by_text("The notifications were saved.")).to_be_visible()
    somebody.page.goto(f"{somebody.url}/chatroom")
    somebody.await_state("Live")


def test_notifications_follow_the_preference(person, anything):
    alice, bob = person("Alice"), person("Bob", permissions=["notifications"])
    choose(bob, "All messages")
    away(bob.page)
    text = anything("Lunch is ready")
    alice.say(text)
    bob.sees(text)
    assert titles_of(bob, text) == [f"{alice.name} in Lobby"]

    choose(bob, "Nothing")
    away(bob.page)
    other = anything("And it is cold")
    alice.say(other)
    bob.sees(other)
    # The page decides about a message before it shows it.
    assert bob.page.evaluate("shown") == []


def test_the_page_shows_the_browsers_permission(person):
    alice = person("Alice", permissions=[])
    alice.page.goto(f"{alice.url}/account/notifications")
    expect(alice.page.locator("[data-notifications-state]")).to_have_text(
        re.compile("does not notify you|blocks notifications")
    )
    sound = alice.page.get_by_label("Play a sound too")
    expect(sound).not_to_be_checked()
    sound.check()
    alice.page.reload()
    expect(alice.page.get_by_label("Play a sound too")).to_be_checked()


FETCHED = """() => performance.getEntriesByType("resource")
  .filter(({ name, transferSize }) => name.includes("/static/") && transferSize > 0).map(({ name }) => name)"""


def test_the_last_page_opens_offline_but_not_after_a_log_out(person, anything):
    alice = person("Alice")
    text = anything("Kept for the train")
    alice.say(text)
    alice.sees(text)
    alice.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    alice.page.reload()  # now by way of the service worker
    alice.await_state("Live")
    assert alice.page.evaluate(FETCHED) == [], "the browser has all files"
    alice.context.set_offline(True)
    alice.page.reload()
    expect(alice.page.get_by_text(text)).to_be_visible()
    alice.await_state("Offline")
    expect(alice.page.locator("[data-log]")).to_have_css("overflow-y", "auto")
    alice.page.goto(f"{alice.url}/account")
    expect(alice.page.get_by_text("There is no connection right now")).to_be_visible()

    alice.context.set_offline(False)
    alice.page.goto(f"{alice.url}/chatroom")
    alice.log_out()
    alice.page.wait_for_url(f"{alice.url}/")
    alice.context.set_offline(True)
    alice.page.goto(f"{alice.url}/chatroom")
    expect(alice.page.get_by_text("There is no connection right now")).to_be_visible()
    expect(alice.page.get_by_text(text)).to_have_count(0)


def test_it_can_be_installed(person):
    alice = person("Alice")
    manifest = alice.page.evaluate(
        """async () => {
          const link = document.querySelector("link[rel=manifest]");
          const manifest = await (await fetch(link.href)).json();
          const sizes = await Promise.all(manifest.icons.map(async ({ src }) => {
            const image = new Image(); image.src = src; await image.decode(); return image.naturalWidth;
          }));
          return { ...manifest, widths: sizes };
        }"""
    )
    assert manifest["display"] == "standalone"
    assert manifest["widths"] == [192, 512, 512]


def test_a_direct_message_in_another_room_notifies(person, anything):
    alice, bob = person("Alice"), person("Bob", permissions=["notifications"])
    alice.page.goto(f"{alice.url}/people?names={bob.username}")
    alice.page.get_by_role("button", name="Start conversation").click()
    alice.await_state("Live")
    first = anything("Psst")
    alice.say(first)
    alice.sees(first)
    bob.page.reload()
    bob.await_state("Live")
    away(bob.page)
    alice.say(anything("Are you there?"))
    bob.page.wait_for_function("() => shown.length > 0")
    assert [each["title"] for each in bob.page.evaluate("shown")] == [alice.name]
    slug = alice.page.url.split("/")[-1]
    bob.context.request.post(  # as another device does
        f"{bob.url}/api/rooms/{slug}/read", data={"sequence": 99}, headers={"X-CSRFToken": token_of(bob)}
    )
    bob.page.wait_for_function("() => shown.length === 0")
