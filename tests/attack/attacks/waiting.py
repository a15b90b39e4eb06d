"""Waiting inside request threads: one person who keeps everybody else waiting, and one who takes all the space."""

import io
import os
import random
import statistics
import struct
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import ExitStack, suppress

import httpx
from PIL import Image

from tests.attack import raw
from tests.attack.attack import Ground, Outcome, attack
from tests.attack.person import Person

SIDE = 7070
"""Fifty million pixels, which is as many as are allowed; over 200 kB as a PNG."""
PICTURES = 45
WATCHED_SECONDS = 3.0
TIMES_SLOWER = 15.0
LEAST_SECONDS = 2.0
"""A page may always take this long: the machine may be busy with something else."""


@attack("pictures", "high", is_alone=True)
def pictures(ground: Ground) -> Outcome:
    """Many pictures of fifty million pixels at once, by one member"""
    greedy, content = ground.person("greedy"), wall()
    head = {"Authorization": f"Bearer {greedy.token()}", "Content_Length": str(len(content))}
    requests = [
        raw.head(ground.site, "POST", f"/api/rooms/lobby/files?name=a{number}.png", **head) + content
        for number in range(PICTURES)
    ]
    return beside(ground, requests)


@attack("portraits", "high", is_alone=True, is_brief=False)
def portraits(ground: Ground) -> Outcome:
    """The same as pictures of oneself"""
    greedy, edge = ground.person("greedy"), "edge"
    parts = f'--{edge}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n'
    parts += f"{greedy.csrf('/account')}\r\n--{edge}\r\n"
    parts += 'Content-Disposition: form-data; name="picture"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    body = parts.encode() + wall() + f"\r\n--{edge}--\r\n".encode()
    kind = f"multipart/form-data; boundary={edge}"
    head = {"Cookie": greedy.cookie, "Content_Type": kind, "Content_Length": str(len(body))}
    request = raw.head(ground.site, "POST", "/account/avatar", Origin=ground.site.url, **head) + body
    return beside(ground, [request] * PICTURES)


def beside(ground: Ground, requests: list[bytes]) -> Outcome:
    """Send all requests, each on a connection of its own, and load somebody else's pages meanwhile."""
    quiet = ground.person("patient")
    before = [load(quiet)[1] for _ in range(20)]
    with ExitStack() as stack:
        for request in requests:
            made = stack.enter_context(raw.connection(ground.site))
            with suppress(OSError):
                made.sendall(request)
        until = time.monotonic() + ground.choose(WATCHED_SECONDS, 30)
        loads = []
        while time.monotonic() < until:
            loads.append(load(quiet))
    slowest, usual = max(seconds for _, seconds in loads), max(before)
    opened = [f"{count} pages of others were answered with 503" for count in [sum(s != 200 for s, _ in loads)] if count]
    if slowest > max(LEAST_SECONDS, TIMES_SLOWER * usual):
        opened.append(f"another's page took {slowest:.1f} s, and {usual:.2f} s before")
    return Outcome(len(requests), opened, f"another's page: {slowest:.2f} s at most, {usual:.2f} s before")


def load(person: Person) -> tuple[int, float]:
    """A page's status, and how long it took."""
    began = time.monotonic()
    try:
        status = httpx.get(f"{person.site.url}/login", timeout=30, trust_env=False).status_code
    except httpx.HTTPError:
        status = 0
    return status, time.monotonic() - began


def wall() -> bytes:
    """A PNG of nothing, as large as is allowed."""
    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * SIDE)
    rows = b"".join(packer.compress(row) for _ in range(SIDE)) + packer.flush()
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)),
        (b"IDAT", rows),
        (b"IEND", b""),
    )
    packed = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@attack(
    "grown-files", "medium", is_brief=False, settings={"MAX_TOTAL_FILE_BYTES": "20000000", "MAX_FILE_BYTES": "2000000"}
)
def grown_files(ground: Ground) -> Outcome:
    """Pictures that are larger once they are made anew than a file may be"""
    greedy, largest = ground.person("grower"), 0
    noise, exif = Image.effect_noise((3000, 3000), 128).convert("RGB"), Image.Exif()
    exif[0x0112] = 6  # lying on its side: it is turned, and so made anew
    made = {"turned.jpg": io.BytesIO(), "turned.webp": io.BytesIO()}
    noise.save(made["turned.jpg"], "JPEG", quality=5, exif=exif)
    noise.resize((1600, 1600)).save(made["turned.webp"], "WEBP", quality=30, exif=exif)
    opened = []
    for name, content in made.items():
        answer = greedy.upload(name, content.getvalue())
        size = answer.json().get("size", 0) if answer.status_code == 201 else 0
        largest = max(largest, size)
        if size > 2_000_000:
            opened.append(f"{name}: {len(content.getvalue()) / 1e6:.1f} MB became {size / 1e6:.1f} MB, allowed are 2")
    return Outcome(len(made), opened, f"{largest / 1e6:.1f} MB at most")


@attack("whole-space", "medium", settings={"MAX_TOTAL_FILE_BYTES": "20000000", "MAX_FILE_BYTES": "2000000"})
def whole_space(ground: Ground) -> Outcome:
    """One account's unposted files take the whole space of the site"""
    greedy, patient, kept, tries = ground.person("greedy"), ground.person("patient"), 0, 0
    for size in (1_900_000, 400_000, 50_000, 5_000):
        while tries < 50:
            answer = greedy.upload("a.bin", os.urandom(size))
            tries += 1
            if answer.status_code != 201:
                break
            kept += size
    answer = patient.upload("b.txt", b"small" * 4000)
    opened = [] if answer.status_code == 201 else [f"another's file of 20 kB is refused: {answer.text[:100]}"]
    return Outcome(tries, opened, f"{kept / 1e6:.0f} of 20 MB by one")


MOST_TIMES = 5.0
CODE = 3 * ("```c#\n" + "a\n" * 600 + "```\n")
"""Blocks that take their lexer a tenth of a second each, where it may."""


@attack("code-blocks", "medium", is_alone=True, is_brief=False, settings={"POST_LIMIT_ADDRESS": "0"})
def code_blocks(ground: Ground) -> Outcome:
    """Code that takes long to colour, posted as fast as one may, against what plain text costs others"""
    greedy, patient = ground.person("greedy"), ground.person("patient")
    assert greedy.token()  # made now, and not by several at once
    assert patient.token()
    seconds = ground.choose(2.5, 15.0)
    plain = post_beside(patient, lambda: greedy.say("a " * 1900), seconds)
    coloured = post_beside(patient, lambda: greedy.say(CODE), seconds)
    usual, now = statistics.median(plain), statistics.median(coloured)
    figure = f"{1000 * usual:.0f} ms beside plain text, {1000 * now:.0f} beside code"
    opened = [f"others post {now / usual:.1f} times as slowly"] if now > MOST_TIMES * usual else []
    return Outcome(len(coloured), opened, figure)


def post_beside(person: Person, noise: Callable[[], object], seconds: float) -> list[float]:
    """How long somebody's posts take while another does something again and again, as fast as is allowed."""
    is_over = threading.Event()

    def go_on() -> None:
        while not is_over.wait(0.1):
            noise()

    others = [threading.Thread(target=go_on) for _ in range(3)]
    for other in others:
        other.start()
    took, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        person.say(f"{random.random()}")
        took.append(time.monotonic() - began)
        time.sleep(0.12)
    is_over.set()
    for other in others:
        other.join()
    return took
