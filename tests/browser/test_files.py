"""Files as people see them: chosen, dropped and pasted; looked at, listened to, taken back."""

import math
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.cast import Person
from tests.browser.steps import PHONE, still, stored, token_of
from tests.browser.targets import small_targets
from tests.corpus.files import ftyp, moov, pdf
from tests.corpus.pictures import samples
from tests.pictures import make_picture
from tests.waiting import wait_until

MakePerson = Callable[..., Person]


def upload(name: str, type: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": type, "buffer": content}


def picture(name: str = "kitten.jpg", size: tuple[int, int] = (1200, 800)) -> dict[str, Any]:
    return upload(name, "image/jpeg", make_picture("JPEG", size))


def make_sound() -> bytes:
    """A second of a quiet A."""
    samples = b"".join(struct.pack("<h", int(3000 * math.sin(n * 0.0785))) for n in range(8000))
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(samples),
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        8000,
        16000,
        2,
        16,
        b"data",
        len(samples),
    )
    return head + samples


def choose(person: Person, *files: dict[str, Any]) -> None:
    person.page.locator("[data-choose]").set_input_files(list(files))


def attached(person: Person) -> Any:
    return person.page.locator("[data-attachments] li")


def await_attached(person: Person, count: int = 1) -> None:
    person.page.wait_for_function(
        "n => { const bars = [...document.querySelectorAll('[data-attachments] progress')];"
        " return bars.length === n && bars.every(bar => bar.hidden) }",
        arg=count,
    )


def expect_loaded(image: Any) -> None:
    expect(image).to_have_js_property("complete", True)
    expect(image).not_to_have_js_property("naturalWidth", 0)


def test_a_picture_is_chosen_sent_and_seen_by_others(person: MakePerson, anything: Callable[[str], str]) -> None:
    alice, bob = person("Alice"), person("Bob")
    text = anything("our kitten")
    choose(alice, picture())
    await_attached(alice)
    expect(alice.page.locator("[data-attachments] canvas")).to_have_count(1)  # a preview
    alice.say(text)

    for each in (alice, bob):
        image = each.message(text).locator("img")
        expect_loaded(image)
        expect(image).to_have_attribute("alt", "kitten.jpg")
        expect(image).to_have_attribute("width", "360")
        expect(image).to_have_attribute("height", "240")
    expect(attached(alice)).to_have_count(0)
    bob.enter()  # and as the server renders it
    expect(bob.message(text).locator("img")).to_have_attribute("width", "360")


def test_several_files_without_text_keep_their_order(person: MakePerson, anything: Callable[[str], str]) -> None:
    alice, bob = person("Alice"), person("Bob", **PHONE)
    name = f"דוח {anything('plan')}; “100%”.pdf"
    choose(
        alice,
        upload(name, "application/pdf", pdf(pages=2) + bytes(18_000)),
        picture(),
        upload("sound.wav", "audio/wav", make_sound()),
        upload("unplayable.mp4", "video/mp4", ftyp(b"isom") + moov(b"vide")),
        upload(".gitkeep", "", b""),
    )
    await_attached(alice, 5)
    alice.page.get_by_role("button", name="Send message").click()
    message = bob.message(name)
    kinds = ["file file--document", "file file--picture", "file file--audio", "file file--card", "file file--card"]
    expect(message.locator("[data-file]")).to_have_class(kinds)
    expect(message.locator(".file__size").first).to_have_text("2 pages · 18.4 kB")
    expect_loaded(message.locator(".file__page"))
    assert small_targets(bob.page) == []
    with bob.page.expect_download() as download:
        message.get_by_role("link", name=name).click()
    assert download.value.suggested_filename == name


def test_a_sound_plays_and_can_be_wound(person: MakePerson, anything: Callable[[str], str]) -> None:
    alice = person("Alice")
    text = anything("listen")
    choose(alice, upload("sound.wav", "audio/wav", make_sound()))
    await_attached(alice)
    alice.say(text)
    player = stored(alice, text).locator("audio")
    duration = player.evaluate(
        """async (player) => {
            const come = (event) => new Promise((resolve) => player.addEventListener(event, resolve));
            if (player.readyState < 1) await come("loadedmetadata");
            player.currentTime = 0.5;
            await come("seeked");
            return player.duration;
        }"""
    )
    assert duration == pytest.approx(1.0)


def hold_uploads(person: Person) -> list[Any]:
    """Let uploads wait until they are released."""
    return hold(person, "**/api/rooms/*/files?*")


def hold(person: Person, pattern: str) -> list[Any]:
    held: list[Any] = []
    person.page.route(pattern, lambda route: held.append(route))
    return held


def let_go(person: Person, held: list[Any], ending: str = "") -> None:
    """Wait for a request that is held, and let it go on."""

    def find() -> Any:
        person.page.evaluate("true")  # Playwright hears of requests in its own calls
        return next((route for route in held if route.request.url.endswith(ending)), None)

    wait_until(find, f"nobody asks for {ending}").continue_()


def test_writing_continues_during_an_upload_and_the_message_waits_for_it(
    person: MakePerson, anything: Callable[[str], str]
) -> None:
    alice = person("Alice")
    held = hold_uploads(alice)
    text = anything("with a file")
    choose(alice, picture())
    alice.say(text)
    alice.page.locator("[data-status]", has_text="Uploading; the message is sent afterwards").wait_for()
    expect(alice.page.get_by_label("Message", exact=True)).to_have_value(text)
    expect(alice.message(text)).to_have_count(0)
    let_go(alice, held)
    alice.message(text).locator("img").wait_for()
    expect(alice.page.get_by_label("Message", exact=True)).to_have_value("")


def test_a_cancelled_upload_is_not_posted(person: MakePerson, anything: Callable[[str], str]) -> None:
    alice = person("Alice")
    hold_uploads(alice)
    choose(alice, picture(), upload("b.txt", "text/plain", b"words"))
    alice.page.get_by_role("button", name="Remove kitten.jpg").click()
    expect(alice.page.get_by_role("button", name="Remove b.txt")).to_be_focused()
    alice.page.keyboard.press("Enter")
    expect(attached(alice)).to_have_count(0)
    expect(alice.page.get_by_label("Message", exact=True)).to_be_focused()
    text = anything("no file")
    alice.say(text)
    stored(alice, text).wait_for()
    expect(alice.message(text).locator("[data-file]")).to_have_count(0)


def test_a_failed_upload_shows_the_reason_and_can_be_retried(
    person: MakePerson, anything: Callable[[str], str]
) -> None:
    alice = person("Alice")
    alice.page.route("**/api/rooms/*/files?*", lambda route: route.abort())
    choose(alice, picture())
    alice.page.get_by_text("The server cannot be reached.", exact=True).wait_for()
    text = anything("second try")
    alice.say(text)
    alice.page.get_by_text("A file could not be sent. Try again, or remove it.").wait_for()
    alice.page.unroute("**/api/rooms/*/files?*")
    alice.page.get_by_role("button", name="Send kitten.jpg again").click()
    await_attached(alice)
    alice.page.get_by_label("Message", exact=True).press("Enter")
    alice.message(text).locator("img").wait_for()


def test_refused_files_show_the_reason(person: MakePerson) -> None:
    alice = person("Alice")
    choose(alice, upload("broken.png", "image/png", b"\x89PNG\r\n\x1a\nbroken"))
    alice.page.get_by_text("The picture cannot be read: it is damaged or incomplete.").first.wait_for()
    choose(alice, *[upload(f"{n}.txt", "text/plain", b"x") for n in range(12)])
    alice.page.get_by_text("A message has at most 10 files.").wait_for()


def test_attached_files_outlive_a_reload(person: MakePerson, anything: Callable[[str], str]) -> None:
    alice = person("Alice")
    text = anything("after a reload")
    choose(alice, picture())
    await_attached(alice)
    alice.enter()
    await_attached(alice)
    alice.say(text)
    alice.message(text).locator("img").wait_for()
    alice.enter()
    expect(attached(alice)).to_have_count(0)


def test_pictures_are_looked_at_one_after_another(person: MakePerson, anything: Callable[[str], str]) -> None:
    alice = person("Alice")
    first, second = (f"{anything(name)}.jpg".replace(" ", "-") for name in ("first", "second"))
    choose(alice, picture(first), picture(second, (300, 900)))
    await_attached(alice, 2)
    alice.page.get_by_role("button", name="Send message").click()
    link = alice.page.get_by_role("link", name=second)
    pictures = stored(alice, "").filter(has=link).locator(".file--picture")
    pictures.nth(1).wait_for()
    pictures.nth(0).locator("[data-file-link]").click()
    dialog = alice.page.get_by_role("dialog")
    dialog.get_by_role("img", name=first).wait_for()
    alice.page.keyboard.press("ArrowRight")
    dialog.get_by_role("img", name=second).wait_for()
    expect(dialog.get_by_role("button", name="Next picture")).to_be_disabled()
    with alice.page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == second
    alice.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    expect(pictures.nth(1).locator("[data-file-link]")).to_be_focused()


def test_every_kind_of_picture_has_its_colours(person: MakePerson) -> None:
    """The thumbnail and the full view, as this browser shows them."""
    alice = person("Alice")
    made = list(samples())
    address, headers = f"{alice.url}/api/rooms/lobby/files?name=a", {"X-CSRFToken": token_of(alice)}
    kept = [alice.context.request.post(address, data=sample.content, headers=headers).json() for sample in made]
    addresses = []
    for file in kept:
        view = "view" if file.get("has_view") else file["name"]
        addresses += [f"/files/{file['id']}/thumbnail", f"/files/{file['id']}/{view}"]
    shown = alice.page.evaluate(
        """(addresses) => Promise.all(addresses.map(async (address) => {
            const image = new Image();
            image.src = address;
            await image.decode();
            const canvas = new OffscreenCanvas(1, 1).getContext("2d");
            canvas.drawImage(image, -Math.floor(image.naturalWidth / 2), -Math.floor(image.naturalHeight / 2));
            return [...canvas.getImageData(0, 0, 1, 1).data];
        }))""",
        addresses,
    )
    wrong = [
        (sample.name, colour, sample.colour)
        for number, sample in enumerate(made)
        for *colour, alpha in shown[2 * number : 2 * number + 2]
        if abs(alpha - sample.alpha) > 4
        or (alpha and max(abs(a - b) for a, b in zip(colour, sample.colour, strict=True)) > 9)
    ]
    assert wrong == []


def test_nothing_moves_when_a_picture_arrives(person: MakePerson, anything: Callable[[str], str]) -> None:
    alice, bob = person("Alice"), person("Bob")
    held = hold(bob, "**/files/*/thumbnail")
    text = anything("tall")
    choose(alice, picture("tall.jpg", (900, 1200)))
    await_attached(alice)
    alice.say(text)
    image = bob.message(text).locator("img")
    image.wait_for(state="attached")
    still(bob.page)
    before = image.bounding_box()
    assert before
    assert round(before["height"]) in range(268, 275)
    let_go(bob, held, str(image.get_attribute("src")))
    expect_loaded(image)
    still(bob.page)
    assert image.bounding_box() == before


def test_deleting_a_message_removes_its_picture(person: MakePerson, anything: Callable[[str], str]) -> None:
    alice, bob = person("Alice"), person("Bob")
    text = anything("regretted")
    choose(alice, picture())
    await_attached(alice)
    alice.say(text)
    address = bob.message(text).locator("[data-file-link]").get_attribute("href")
    assert bob.context.request.get(bob.url + address).status == 200
    message_id = bob.message(text).get_attribute("data-id")
    alice.page.evaluate(
        """(id) => {
            const socket = new WebSocket(location.origin.replace("http", "ws") + "/live");
            socket.onopen = () => socket.send(JSON.stringify({ type: "delete", room: "lobby", id }));
        }""",
        message_id,
    )
    bob.page.locator(f"[data-id='{message_id}'] .message__tombstone").wait_for()
    expect(bob.page.locator(f"[data-id='{message_id}'] [data-file]")).to_have_count(0)
    wait_until(lambda: bob.context.request.get(bob.url + address).status == 404, "the file is still there")


def test_without_a_script(person: MakePerson, anything: Callable[[str], str]) -> None:
    alice = person("Alice", java_script_enabled=False)
    name = anything("form").replace(" ", "-") + ".txt"
    alice.page.locator("input[type=file]").set_input_files([upload(name, "text/plain", b"words"), picture()])
    alice.page.get_by_role("button", name="Send message").click()
    alice.page.wait_for_url("**/chatroom/lobby")
    message = alice.page.frame_locator("iframe").locator("[data-message]", has_text=name)
    message.get_by_role("link", name=re.compile(name)).wait_for()
    message.get_by_role("img", name="kitten.jpg").wait_for()


def test_on_a_phone_nothing_is_wider_than_the_screen(person: MakePerson, anything: Callable[[str], str]) -> None:
    alice = person("Alice", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    choose(alice, picture("wide.jpg", (4000, 800)), upload("x" * 80 + ".pdf", "application/pdf", b"%PDF-1.7\n"))
    await_attached(alice, 2)
    expect(alice.page.locator("[data-attachments] canvas")).to_have_count(1)
    still(alice.page)
    assert alice.page.evaluate("document.documentElement.scrollWidth") == 360
    text = anything("by phone")
    alice.write(text)
    alice.page.get_by_role("button", name="Send message").click()
    image = stored(alice, text).locator("img")
    expect_loaded(image)
    still(alice.page)
    box = image.bounding_box()
    assert box
    assert box["x"] + box["width"] <= 360
    name = stored(alice, text).locator(".file__name")
    assert name.inner_text() == "x" * 80 + ".pdf"
    card, ending = name.bounding_box(), name.locator(".file__ending").bounding_box()
    assert card
    assert ending
    assert ending["x"] + ending["width"] <= card["x"] + card["width"]  # the name is cut before its ending
    assert alice.page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_large_file_goes_in_and_out_as_it_is(person: MakePerson, tmp_path: Path) -> None:
    """Through the spool, the store and the outlet of a real server."""
    alice = person("Alice")
    content = b"".join(n.to_bytes(8, "big") for n in range(2_500_000))
    path = tmp_path / "large.bin"
    path.write_bytes(content)
    alice.page.locator("[data-choose]").set_input_files(path)
    await_attached(alice)
    alice.page.get_by_role("button", name="Send message").click()
    link = stored(alice, "large.bin").get_by_role("link", name=re.compile("large.bin")).last
    with alice.page.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_bytes() == content
    address = alice.url + link.get_attribute("href")
    part = alice.context.request.get(address, headers={"Range": "bytes=19999000-19999099"})
    assert (part.status, part.body()) == (206, content[19_999_000:19_999_100])


def test_an_avatar_replaces_the_initials(person: MakePerson, anything: Callable[[str], str]) -> None:
    alice, bob = person("Alice"), person("Bob")
    alice.page.goto(f"{alice.url}/account")
    alice.page.get_by_label("A JPEG, PNG, GIF, WebP, HEIC or AVIF").set_input_files([picture("me.jpg")])
    alice.page.get_by_role("button", name="Use this picture").click()
    alice.page.get_by_text("Your picture was changed.").wait_for()
    text, live = anything("see me"), anything("live")
    alice.enter().say(text)
    alice.sees(text)

    def has_picture(somebody: Person, said: str) -> bool:
        shown = "avatar => [getComputedStyle(avatar).backgroundImage, getComputedStyle(avatar, '::before').content]"
        image, initials = somebody.message(said).locator(".avatar").evaluate(shown)
        return bool(re.fullmatch(r'url\("http://[^"]+/avatars/\w+/\w+"\)', image)) and initials == "none"

    def await_picture(somebody: Person) -> None:
        """A process may take some seconds to hear of it: until then, a page is loaded without."""

        def is_loaded() -> bool:
            somebody.enter().sees(text)
            return has_picture(somebody, text)

        wait_until(is_loaded, "the picture does not come")

    await_picture(alice)
    await_picture(bob)
    alice.say(live)
    for each in (alice, bob):
        each.sees(live)
        assert has_picture(each, live)
