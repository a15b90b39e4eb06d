"""Requests byte by byte, as no client makes them."""

import re
import socket
import ssl
import time
from contextlib import suppress

from tests.attack.site import Site
from tests.waiting import PATIENCE_SECONDS


def connection(site: Site, seconds: float = PATIENCE_SECONDS, receive_bytes: int = 0) -> socket.socket:
    """A connection; with `receive_bytes` the kernel keeps that little for us."""
    made = socket.socket(socket.AF_INET6 if ":" in site.host else socket.AF_INET)
    if receive_bytes:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    made.settimeout(seconds)
    made.connect((site.host, site.port))
    if site.url.startswith("https:"):
        return ssl.create_default_context().wrap_socket(made, server_hostname=site.host)
    return made


def head(site: Site, method: str, path: str, **headers: str) -> bytes:
    """The head of a request; underscores in names are hyphens."""
    given = {"Host": site.url.partition("//")[2]} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def exchange(site: Site, request: bytes, seconds: float = PATIENCE_SECONDS) -> bytes:
    """Everything that comes back until the server hangs up, or is silent for a moment after an answer."""
    answer = b""
    with connection(site, seconds) as made, suppress(OSError):
        made.sendall(request)
        while more := made.recv(65_536):
            answer += more
            if is_whole(answer):
                made.settimeout(0.3)  # another answer would come now
    return answer


def is_whole(answer: bytes) -> bool:
    """Whether an answer has come as far as its head says."""
    start, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", start, re.IGNORECASE)
    return bool(end and ((length and len(body) >= int(length[1])) or body.endswith(b"0\r\n\r\n")))


def statuses(answer: bytes) -> list[int]:
    """The statuses of the answers in a stream."""
    return [int(status) for status in re.findall(rb"(?:^|\n)HTTP/1\.[01] (\d{3})", answer)]


def pour(site: Site, start: bytes, line: bytes, most: int) -> int:
    """Send a beginning, and then one line again and again; how many bytes of these were taken."""
    block = line * (65_536 // len(line))
    sent = 0
    with suppress(OSError), connection(site, 5) as made:
        made.sendall(start)
        while sent < most:
            made.sendall(block)
            sent += len(block)
        time.sleep(0.2)  # until it is worked through
    return sent
