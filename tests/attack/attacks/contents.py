"""What people put into a room: files that run or tell, texts that are made to be slow."""

import io
import statistics
import time

from PIL import Image

from tests.attack.attack import Ground, Outcome, attack
from tests.attack.person import Person


def odd_files() -> dict[str, bytes]:
    """Files that a browser might take for a page or a script, by their names."""
    gif, out = b"GIF89a/*\x01\x00\x01\x00", io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, "PNG")
    page = b"<!doctype html><script>alert(document.domain)</script>"
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    return {
        **dict.fromkeys(("a.html", "a.shtml", "a.png", "a.txt", "a.html\x00.png", "\u202egnp.html"), page),
        **dict.fromkeys(("a.svg", "b.png"), drawing),
        "a.xml": b"<?xml version='1.0'?>" + drawing,
        "a.js": b"alert(1)",
        "a.pdf": b"%PDF-1.4\n" + page,
        "b.txt": b"\xff\xfe" + page.decode().encode("utf-16-le"),
        "a.gif": gif + page,
        "c.png": out.getvalue() + page,
        "a.jpg": b"\xff\xd8\xff\xe0" + page,
        "a.swf": b"CWS\x09" + page,
        "a.wasm": b"\0asm\1\0\0\0",
        "a.ico": b"\0\0\1\0\1\0" + page,
        "a.webp": b"RIFF\x20\0\0\0WEBPVP8 " + page,
        "a.mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + page,
        "a.mht": b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" + page,
        "a.zip": b"PK\x03\x04" + page,
    }


RUNS = ("text/html", "image/svg", "javascript", "application/xml", "text/xml", "xhtml", "flash", "wasm", "message/")


@attack("file-types", "held", is_remote=True)
def file_types(ground: Ground) -> Outcome:
    """Files that run in the browser of whoever opens them"""
    person, opened, files = ground.person("files"), [], odd_files()
    for name, content in files.items():
        made = person.upload(name, content)
        if made.status_code >= 500:
            opened.append(f"{name!r}: {made.status_code}")
        if made.status_code != 201:
            continue
        kept = made.json()
        answer = person.call("GET", f"/files/{kept['id']}/a")
        kind, policy = answer.headers.get("content-type", ""), answer.headers.get("content-security-policy", "")
        is_shown = not answer.headers.get("content-disposition", "").startswith("attachment")
        if is_shown and any(word in kind for word in RUNS):
            opened.append(f"{name!r} is shown as {kind}")
        if answer.headers.get("x-content-type-options") != "nosniff" or "sandbox" not in policy:
            opened.append(f"{name!r} comes without its headers")
    return Outcome(len(files), opened)


SECRET = b"SECRETPLACE48.2082N16.3738E"


@attack("left-in-files", "low", is_remote=True)
def left_in_files(ground: Ground) -> Outcome:
    """Where a picture or a film was taken, read from its comments"""
    person, opened = ground.person("places"), []
    image, exif = Image.effect_noise((40, 40), 50), Image.Exif()
    exif[0x010E] = SECRET.decode()
    files: dict[str, bytes] = {}
    for name, kind in (("a.jpg", "JPEG"), ("a.png", "PNG"), ("a.webp", "WEBP"), ("a.gif", "GIF")):
        out = io.BytesIO()
        options = {"comment": SECRET} if kind in {"GIF", "JPEG"} else {}
        image.convert("P" if kind == "GIF" else "RGB").save(out, kind, exif=exif, **options)
        files[name] = out.getvalue()

    def atom(name: bytes, content: bytes) -> bytes:
        return (len(content) + 8).to_bytes(4, "big") + name + content

    place = atom(b"udta", atom(b"\xa9xyz", len(SECRET).to_bytes(2, "big") + b"\x15\xc7" + SECRET))
    films = atom(b"ftyp", b"mp42\0\0\0\0mp42isom") + atom(b"mdat", bytes(64))
    files["a.mp4"] = films + atom(b"moov", atom(b"mvhd", bytes(100)) + place)
    for name, content in files.items():
        made = person.upload(name, content)
        if made.status_code == 201 and SECRET in person.call("GET", f"/files/{made.json()['id']}/a").content:
            opened.append(f"{name} has it still")
    return Outcome(len(files), opened)


SLOW = [
    *(sign * 3900 for sign in ("*", "[", "`", "<", "@", "\\")),
    *("http://" + "a." * 1900, "[" * 1000 + "]" * 1000 + "(" * 1000, "\U0001f468\u200d" * 900, "a\u0301" * 1900),
    *(2000 * piece for piece in ("> ", "_a", ":a", "- ", "~~", "|a", "a@", "1. ", "![](", "**a ", "[a](<", "&#x41;")),
    *("```" * 1300, "www." * 900),
]
SLOWER_SECONDS = 2.0


@attack("slow-texts", "held", is_remote=True, is_brief=False)
def slow_texts(ground: Ground) -> Outcome:
    """Texts that take long to be made into a page"""
    person, opened, worst = ground.person("slow"), [], 0.0
    plain = statistics.median(seconds(person, "plain words " * 300)[1] for _ in range(5))
    for text in SLOW:
        status, took = seconds(person, text[:3950])
        worst = max(worst, took)
        if status >= 500 or took > max(SLOWER_SECONDS, 30 * plain):
            opened.append(f"{text[:8]!r}…: {status}, {took:.2f} s")
    return Outcome(len(SLOW), opened, f"{1000 * worst:.0f} ms at most, {1000 * plain:.0f} for plain words")


def seconds(person: Person, text: str) -> tuple[int, float]:
    """A post's status, and how long it took; then a pause for the limit on posts."""
    began = time.monotonic()
    answer = person.say(text)
    took = time.monotonic() - began
    time.sleep(0.11)
    return answer.status_code, took
