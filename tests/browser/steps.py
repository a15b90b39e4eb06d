"""What people do in their browsers in the tests of more than one module."""

import contextlib
import re

from playwright.sync_api import Error, expect

from tests.waiting import wait_until

PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
SOON_MS = 5000
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
NO_SCRIPT = {"java_script_enabled": False}
STILL = """() => {
  for (const animation of document.getAnimations())
    if (animation.effect?.getComputedTiming().endTime < Infinity) animation.finish();
  return new Promise((resolve, reject) => {
    requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
    setTimeout(() => reject(new Error("nothing is drawn")), 60_000);
  });
}"""
SAY_MANY = """async ([room, texts]) => {
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}/live`);
  const id = crypto.randomUUID();
  const frames = texts.map((text, n) => ({ type: "post", room, client_id: `${id}-${n}`, text }));
  const sequences = [];
  try {
    await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error(`${sequences.length} of ${texts.length} are stored`)), 60_000);
      socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
      socket.onopen = () => frames.forEach((frame) => socket.send(JSON.stringify(frame)));
      socket.onmessage = ({ data }) => {
        const { type, message, sequence } = JSON.parse(data);
        if (type === "refused") reject(new Error(message));
        if (type === "stored") sequences.push(sequence);
        if (sequences.length === texts.length) resolve();
      };
    });
  } finally {
    socket.close();
  }
  return sequences.sort((a, b) => a - b);
}"""


def frame_of(somebody):
    return somebody.page.frame_locator("iframe")


def leave_by(page, link):
    """Leave a page by a link in its frame. The frame reloads itself, and a click at this moment has no effect."""
    before = page.url

    def has_left():
        with contextlib.suppress(Error):
            link.click(timeout=SOON_MS)
            page.wait_for_url(lambda url: url != before, timeout=SOON_MS)
        return page.url != before

    wait_until(has_left)


def bodies(person, containing):
    """The messages with this text, in their order, for `expect`, which waits until there are no others."""
    return person.page.locator("[data-messages] [data-body]").filter(has_text=containing)


def await_live(page):
    """Wait until a tab hears of everything: some things are told once, and only to who is there."""
    page.locator("[data-state-text]", has_text=re.compile("^Live")).wait_for()


def still(page):
    """End what moves on a page, and wait until that is drawn; by then a scroll is known to the script, too.

    Only where there are scripts: without, a page never says that it was drawn.
    """
    page.evaluate(STILL)


def token_of(person):
    return person.page.locator("meta[name=csrf-token]").get_attribute("content")


def make_room(maker, title, *others):
    """A private room with these people; answers with its slug."""
    answer = send(maker, "/rooms/new", title=title, topic="", kind="private")
    slug = answer.headers["location"].rsplit("/", 1)[1]
    for other in others:
        add_member(maker, slug, other)
    return slug


def add_member(maker, slug, other):
    send(maker, f"/rooms/{slug}/members", username=other.username)


def open_room(person, slug):
    """Go to a room, and wait until it is live."""
    person.page.goto(f"{person.url}/chatroom/{slug}")
    return person.await_state("Live")


def send(person, path, **fields):
    form = {**fields, "csrf_token": token_of(person)}
    answer = person.context.request.post(f"{person.url}{path}", form=form, max_redirects=0)
    assert answer.status == 303, answer.text()
    return answer


def say(person, slug, *texts):
    """Say something in a room without opening it; answers with the sequences."""
    sequences = []
    for text in texts:
        answer = person.context.request.post(
            f"{person.url}/api/rooms/{slug}/messages", data={"text": text}, headers={"X-CSRFToken": token_of(person)}
        )
        assert answer.status == 201, answer.text()
        sequences.append(answer.json()["sequence"])
    return sequences


def unread_of(person, slug):
    """How much is unread in a room, as the server has it."""
    rooms = person.context.request.get(f"{person.url}/api/rooms").json()["rooms"]
    return next(room["unread"] for room in rooms if room["slug"] == slug)


def await_read(person, slug, left=range(1)):
    """Wait until as many messages of the open room are unread as `left` allows."""

    def is_read():
        person.page.evaluate("window.dispatchEvent(new Event('blur'))")  # the page reports what was read at once
        return unread_of(person, slug) in left

    wait_until(is_read, f"unread messages: not in {left}")


def say_many(person, slug, texts):
    """The same for many messages, which keep their order: all at once, and then their answers."""
    return person.page.evaluate(SAY_MANY, [slug, list(texts)])


def make_room_by_form(somebody, title, kind="Public: everybody who is logged in"):
    """Make a room by its form, and be in it; answers with its address."""
    page = somebody.page
    page.goto(f"{somebody.url}/rooms/new")
    page.get_by_label("Name").fill(title)
    page.get_by_label(kind).check()
    page.get_by_role("button", name="Create room").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    somebody.await_state("Live")
    return page.url


def stored(person, text):
    """A message as the room has it: its author sees it a moment earlier, and can do nothing with it until then."""
    return person.page.locator("[data-messages] [data-message]:not(:has(.message__plain))", has_text=text)


def act(person, text, name):
    """Do something with a message by its toolbar or, where it is not there, by its menu."""
    message = stored(person, text).last
    message.hover()
    more = message.get_by_role("button", name="More actions")
    expect(more).to_be_visible()
    button = message.get_by_role("toolbar").get_by_role("button", name=name, exact=True)
    if button.count():
        button.click()
        return
    more.click()
    person.page.get_by_role("menuitem", name=name).click()


def sequence_of(person, text):
    return int(stored(person, text).last.get_attribute("data-sequence"))
