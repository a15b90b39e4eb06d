"""Make the pictures of docs/images: a scratch site with a conversation, photographed by Chromium.

    python -m tools.make_pictures

It needs a desktop's fonts (Debian: fonts-noto-core, fonts-noto-color-emoji).
"""

import io
import os
import shutil
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, sync_playwright

from tools.dev import ROOT, scratch_database, serve
from tools.dev_people import PASSWORD, Scene, scene

IMAGES = ROOT / "docs" / "images"
PEOPLE = {"ada": "Ada Lovelace", "grace": "Grace Hopper", "linus": "Linus Pauling", "noor": "نور حداد"}
FACES = {"ada": ("#8fbfb8", "#c8823c", "#d9a07a"), "grace": ("#9aa58c", "#4a4540", "#d9b08c")}
"""The colours of background, hair and skin."""
CODE = """That very one. Like this it survives:

```python
def read(path: Path) -> str:
    raw = path.read_bytes()
    return raw.decode("utf-8" if is_utf8(raw) else "cp1252")
```"""
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 780}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
PICTURES = {
    "chat-desktop-light": ("release-2-0", DESKTOP),
    "chat-desktop-dark": ("release-2-0", {**DESKTOP, "color_scheme": "dark"}),
    "chat-phone": ("release-2-0", PHONE),
    "chat-right-to-left": ("kitchen", PHONE),
}
_START_SECONDS = 60
_BROWSER = ["--no-sandbox", "--disable-gpu", "--no-first-run"]


def main() -> None:
    """Make all pictures."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = {"HOST": "127.0.0.1", "PORT": str(port)}
    with scratch_database(_settle_in) as environment, serve(os.environ | environment | address):
        _take_pictures(f"http://127.0.0.1:{port}")


def _settle_in(mongo_uri: str, secret_key: str) -> None:
    with scene(mongo_uri, secret_key, PEOPLE) as site:
        site.services.moderation.first_steps.hide(site.users["ada"])
        for username, colours in FACES.items():
            site.services.people.avatars.set(site.users[username].id, _draw_face(*colours))
        for title, topic in (("Release 2.0", "Friday, if the tests say so"), ("Garden", ""), ("Kitchen", "مطبخ")):
            slug = site.send("ada", "", title=title, topic=topic)["slug"]
            for username in ("grace", "linus", "noor"):
                site.send(username, f"/{slug}/join")
        _talk_about_the_release(site)
        for username, text in (("grace", "The beans are up: 14 of 20."), ("linus", "So there is time to read, @ada.")):
            site.say(username, "garden", text)
        site.say("linus", "lobby", "@ada the coffee machine is back")
        _talk_about_lunch(site)


def _talk_about_the_release(site: Scene) -> None:
    slug = "release-2-0"
    first = site.say("ada", slug, "Morning! One test is red: **reading old files**.")
    site.send("ada", f"/{slug}/messages/{first['id']}/pin")
    question = site.say("grace", slug, "Which one? I met `cp1252` in the wild again yesterday 🐛")
    site.say("linus", slug, CODE)
    plan = "@grace can you run it over the archive before noon? Then we freeze at three."
    answer = site.say("ada", slug, plan, reply_to=question["sequence"])
    for username in ("grace", "linus"):
        site.send(username, f"/{slug}/messages/{answer['id']}/reactions", emoji="👍")
    site.say("grace", slug, "On it. 40,000 files, no complaints so far")
    notes = site.say("linus", slug, "The release notes are in https://example.org/notes: please read them once.")
    site.send("ada", f"/{slug}/messages/{notes['id']}/reactions", emoji="🎉")


def _talk_about_lunch(site: Scene) -> None:
    slug = "kitchen"
    site.say("noor", slug, "صباح الخير! من يريد الغداء اليوم؟")
    site.say("grace", slug, "Count me in 🙋")
    hummus = site.say("noor", slug, "عندي *حمص* وخبز طازج:\n\n- حمص\n- خبز\n- شاي بالنعناع")
    for username in ("ada", "grace"):
        site.send(username, f"/{slug}/messages/{hummus['id']}/reactions", emoji="😋")
    site.say("ada", slug, "شكرا @noor! في الساعة الواحدة؟")
    site.say("noor", slug, "نعم، الساعة الواحدة.", reply_to=hummus["sequence"])


def _draw_face(background: str, hair: str, skin: str) -> io.BytesIO:
    picture = Image.new("RGB", (256, 256), background)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((66, 36, 190, 190), fill=hair)
    draw.rectangle((66, 110, 190, 190), fill=hair)
    draw.ellipse((36, 196, 220, 380), fill=hair)
    draw.rectangle((110, 170, 146, 215), fill=skin)
    draw.ellipse((82, 62, 174, 190), fill=skin)
    draw.ellipse((104, 116, 114, 126), fill="#3a3430")
    draw.ellipse((142, 116, 152, 126), fill="#3a3430")
    draw.arc((110, 130, 146, 160), 20, 160, fill="#8a4a3a", width=4)
    content = io.BytesIO()
    picture.save(content, "PNG")
    content.seek(0)
    return content


def _take_pictures(url: str) -> None:
    _await_server(url)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_BROWSER)
        for name, (slug, options) in PICTURES.items():
            room = f"{url}/login?next=/chatroom/{slug}"
            with ExitStack() as stack:
                for present in ("grace", "linus"):
                    stack.enter_context(_open(browser, room, present, DESKTOP))
                page = stack.enter_context(_open(browser, room, "ada", options))
                page.reload()  # without the greeting of the log-in
                page.locator("[data-state-text]", has_text="Live").wait_for(state="attached")
                page.get_by_role("button", name="Not now").click()  # the question about notifications
                page.wait_for_timeout(1000)  # what moves has ended
                page.screenshot(path=IMAGES / f"{name}.png")
        browser.close()


@contextmanager
def _open(browser: Browser, address: str, username: str, options: dict[str, object]) -> Iterator[Page]:
    """Log in through this address, and stay on the page to which it leads."""
    context = browser.new_context(service_workers="block", locale="en-GB", **options)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    yield page
    context.close()


def _await_server(url: str) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        with suppress(OSError), urllib.request.urlopen(f"{url}/readyz"):  # noqa: S310
            return
        time.sleep(0.2)
    sys.exit("The server does not answer.")


if __name__ == "__main__":
    main()
