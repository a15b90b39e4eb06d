"""Bytes outside the budgets: what a connection or a person makes the server hold or write, in and out."""

import json
import re
import socket
import time
from contextlib import ExitStack, suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.attack import raw
from tests.attack.attack import Ground, Outcome, attack
from tests.attack.person import PASSWORD, Person
from tests.waiting import PATIENCE_SECONDS

PLACES = ("/livez", "/static/pages/chat.js", "/socket.io/", "/login", "/live")
MOST_MEGABYTES = 12.0
"""By which memory may rise while many times as much is poured in."""
POURED = 32_000_000
HALF_A_PAIR = "\\ud800"
LOG_BYTES_EACH = 60
MOST_KEPT = 0.6
"""Of all the answers that are asked for and not read; some are being made at any time."""


@attack("trailers", "high")
def trailers(ground: Ground) -> Outcome:
    """Trailer lines without end after the last chunk, without an account"""
    return pour_everywhere(ground, b"0\r\n", b"X-A: " + b"a" * 57 + b"\r\n")


@attack("chunk-extensions", "medium")
def chunk_extensions(ground: Ground) -> Outcome:
    """A chunk extension without end, without an account"""
    return pour_everywhere(ground, b"1;a=", b"a" * 64)


@attack("heads", "held", is_brief=False)
def heads(ground: Ground) -> Outcome:
    """Header lines without end, without an account"""
    return pour_everywhere(ground, b"", b"X-A: " + b"a" * 57 + b"\r\n", is_head=True)


def pour_everywhere(ground: Ground, start: bytes, line: bytes, *, is_head: bool = False) -> Outcome:
    """Pour lines at each place, and see how much of them the server keeps."""
    site = ground.site
    ground.administrator.get("/chatroom")
    opened, figures, times = [], [], ground.choose(1, 4)
    for place in PLACES:
        head = raw.head(site, "POST", place, Transfer_Encoding="chunked")
        raw.exchange(site, head + b"0\r\n\r\n", 2)  # what is loaded at first is loaded now
        site.begin_peak()
        taken = sum(raw.pour(site, head[:-2] if is_head else head + start, line, POURED) for _ in range(times))
        risen = site.peak()
        figures.append(risen)
        if risen > MOST_MEGABYTES:
            opened.append(f"{place}: +{risen:.0f} MB for {taken / 1e6:.0f} MB sent")
    return Outcome(len(PLACES) * times, opened, f"+{max(figures):.0f} MB at most")


@attack("trailers-as-headers", "medium", settings={"TRUSTED_PROXIES": "1"})
def trailers_as_headers(ground: Ground) -> Outcome:
    """Trailers that pass for what the proxy has written: X-Forwarded-For, X-Forwarded-Proto"""
    opened = []
    person = ground.person("trailer")
    for trailer in ("X-Forwarded-For: 198.51.100.66", "X-Forwarded-Proto: https", "Host: evil.test"):
        browser = Person(ground.site, person.username, headers={"X-Forwarded-For": "192.0.2.1"})
        body = f"csrf_token={browser.csrf()}&username={person.username}&password={PASSWORD.replace(' ', '+')}&next="
        head = raw.head(
            ground.site,
            "POST",
            "/login",
            Content_Type="application/x-www-form-urlencoded",
            Cookie=browser.cookie,
            X_Forwarded_For="192.0.2.1",
            Transfer_Encoding="chunked",
        )
        request = head + f"{len(body):x}\r\n{body}\r\n0\r\n{trailer}\r\n\r\n".encode()
        answer = raw.exchange(ground.site, request).decode("latin-1")
        if "__Host-" in answer or "; Secure" in answer:
            opened.append(f"{trailer}: the cookie is one of https")
        if "evil.test" in answer:
            opened.append(f"{trailer}: the answer leads there")
    sessions = person.get("/account", headers={"X-Forwarded-For": "192.0.2.2"}).text
    if "198.51.100.66" in sessions:
        opened.append("X-Forwarded-For: the session is from the address of the trailer")
    return Outcome(3, opened)


@attack("stalled-readers", "high", is_alone=True, settings={"POST_LIMIT_ACCOUNT": "0", "POST_LIMIT_ADDRESS": "0"})
def stalled_readers(ground: Ground) -> Outcome:
    """Readers who ask for large answers and read nothing, all of one account"""
    person = ground.person("stalled")
    for _ in range(100):
        assert person.say("&" * 3990).status_code in {200, 201}  # five times as long on a page
    path = "/api/rooms/lobby/messages?limit=100&format=html"
    size = len(person.call("GET", path).content)
    count = ground.choose(40, 100)
    request = raw.head(ground.site, "GET", path, Authorization=f"Bearer {person.token()}")
    with ExitStack() as stack:
        ground.site.begin_peak()
        readers = [stack.enter_context(raw.connection(ground.site, receive_bytes=4096)) for _ in range(count)]
        for reader in readers:
            with suppress(OSError):
                reader.sendall(request)
        give_up_at = time.monotonic() + ground.choose(3, 60)
        while time.monotonic() < give_up_at:
            time.sleep(0.2)
        risen, held = ground.site.peak(), sum(not is_closed(reader) for reader in readers)
    asked = size * count / 1e6
    opened = []
    if risen > MOST_KEPT * asked:
        opened.append(f"+{risen:.0f} MB for {asked:.0f} MB of answers that nobody reads")
    return Outcome(count, opened, f"+{risen:.0f} MB for {asked:.0f} MB asked for, {held} of {count} still connected")


def is_closed(reader: socket.socket) -> bool:
    """Whether the server has let go of it: then the kernel knows."""
    state = reader.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state != 1


@attack("odd-events", "medium")
def odd_events(ground: Ground) -> Outcome:
    """Socket.IO events with halves of surrogate pairs, with a token that may only read"""
    person = ground.person("events")
    tries = ground.choose(500, 2000)
    token = person.token("read")
    before, answered, ended = len(ground.site.log), 0, ""
    with connect(f"{ground.site.websocket}/socket.io/?EIO=4&transport=websocket", proxy=None) as client:
        client.recv(PATIENCE_SECONDS)
        client.send("40" + json.dumps({"token": token}))
        client.recv(PATIENCE_SECONDS)
        try:
            for number in range(tries):
                client.send(f'42{number}["history",{{"room":"{HALF_A_PAIR}"}}]')
            give_up_at = time.monotonic() + ground.choose(20, 150)
            while answered < tries and time.monotonic() < give_up_at:
                with suppress(TimeoutError):
                    answered += str(client.recv(5)).startswith("43")
        except ConnectionClosed as error:
            ended = f", then closed with {error.rcvd.code if error.rcvd else 'nothing'}"
    written = len(log := ground.site.log_after(before))
    opened = []
    if traces := log.count("Traceback"):
        opened.append(f"{traces} tracebacks, {written / 1000:.0f} kB of log")
    elif written > 20_000 + LOG_BYTES_EACH * tries:
        opened.append(f"{written / 1000:.0f} kB of log")
    if answered < tries and not ended:
        opened.append(f"{tries - answered} events got no acknowledgement")
    return Outcome(tries, opened, f"{written / 1000:.0f} kB of log, {answered} acknowledged{ended}")


@attack("log-lines", "medium")
def log_lines(ground: Ground) -> Outcome:
    """Requests and frames that are wrong, to fill the log: words that no UTF-8 can write, broken JSON"""
    person, tries = ground.person("logs"), ground.choose(200, 3000)
    half = '{"type":"%s","room":"\\ud800","client_id":"\\udfff","text":"\\ud800","after":0}'
    frames = [half % kind for kind in ("post", "follow", "history", "typing", "edit")] + [
        "{",
        "[1",
        "\x00",
        '"\\ud800"',
    ]
    before, sent = len(ground.site.log), 0
    while sent < tries:
        with person.live() as socket, suppress(ConnectionClosed):
            for _ in range(50):
                socket.send(frames[sent % len(frames)])
                sent += 1
            socket.recv(5)
    for body in ('{"client_id":"a","text":"\\ud800"}', '{"text":"a","client_id":"\\ud800"}', "\\ud800", "{" * 9000):
        for _ in range(10):
            person.call("POST", "/api/rooms/lobby/messages", content=body)
            sent += 1
    written = len(log := ground.site.log_after(before))
    opened = [f"{count} tracebacks" for count in [log.count("Traceback")] if count]
    if written > 20_000 + 200 * sent:
        opened.append(f"{written / 1000:.0f} kB of log for {sent} frames")
    if found := re.findall(r'"status": ?5\d\d', log):
        opened.append(f"{len(found)} answers of 5xx")
    return Outcome(sent, opened, f"{written / 1000:.0f} kB of log")
