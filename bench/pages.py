"""Load on pages, from keep-alive connections that send the next request as soon as they have the response."""

import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import percentile


class PageFailed(RuntimeError):
    """A page request failed."""


@dataclass
class PageRate:
    """The results of a series of requests."""

    per_second: float
    p50: float
    p99: float
    size: int


def get(port: int, path: str, *headers: str) -> bytes:
    """Return the bytes of a GET request."""
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers, "", ""]).encode()


def ask(port: int, requests: Sequence[bytes]) -> list[float]:
    """Send requests one after the other on one connection; return the seconds of each."""
    taken = []
    with socket.create_connection(("127.0.0.1", port), 60) as sock:
        for request in requests:
            start = time.perf_counter()
            sock.sendall(request)
            answer = b""
            while not _size(answer):
                if not (more := sock.recv(1 << 20)):
                    raise PageFailed("the connection ended")
                answer += more
            taken.append(time.perf_counter() - start)
            _check(answer)
    return taken


def saturate(port: int, request: bytes, *, connections: int, seconds: float, warm_up: float = 1.0) -> PageRate:
    """Request one page repeatedly on several connections."""
    socks = [socket.create_connection(("127.0.0.1", port), 60) for _ in range(connections)]
    epoll = select.epoll()
    waiting = {}
    for sock in socks:
        epoll.register(sock, select.EPOLLIN)
        sock.sendall(request)
        waiting[sock.fileno()] = [sock, b"", time.perf_counter()]
    start = time.perf_counter() + warm_up
    taken, size = [], 0
    while (now := time.perf_counter()) < start + seconds:
        for fd, _ in epoll.poll(1):
            sock, answer, since = waiting[fd]
            more = sock.recv(1 << 20)
            if not more:
                raise PageFailed("the connection ended")
            answer += more
            if found := _size(answer):
                _check(answer)
                size = found
                now = time.perf_counter()
                if now > start:
                    taken.append(now - since)
                sock.sendall(request)
                waiting[fd] = [sock, b"", now]
            else:
                waiting[fd][1] = answer
    for sock in socks:
        sock.close()
    epoll.close()
    return PageRate(len(taken) / seconds, percentile(taken, 0.5), percentile(taken, 0.99), size)


def _size(answer: bytes) -> int:
    """Return the size of a complete response; 0 while it is incomplete."""
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(answer) if len(body) >= int(line.split(b":")[1]) else 0
        if line.startswith(b"transfer-encoding:") and b"chunked" in line:
            return len(answer) if body.endswith(b"0\r\n\r\n") else 0
    raise PageFailed(f"the response has neither a length nor chunks: {head[:200]!r}")


def _check(answer: bytes) -> None:
    if not answer.startswith(b"HTTP/1.1 200"):
        raise PageFailed(answer[:300].decode(errors="replace"))
