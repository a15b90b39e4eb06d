"""A real server, and requests that no browser would send."""

import re
import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from chatroom.mongo.embedded import EmbeddedMongo
from tests.security.server import UNLIMITED, Server, serving
from tests.visitors import PASSWORD
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(mongod: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Behind one proxy, as it believes."""
    with serving(mongod, tmp_path_factory.mktemp("server"), TRUSTED_PROXIES="1", **UNLIMITED) as server:
        yield server


def send(server: Server, request: bytes) -> bytes:
    """The whole answer; nothing where the server hangs up."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(request)
        with suppress(ConnectionError):
            while not is_whole(answer) and (more := connection.recv(65_536)):
                answer += more
    return answer


def is_whole(answer: bytes) -> bool:
    """Whether an answer has come as far as its head says; one that does not say it ends with the connection."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return bool(end and length and len(body) >= int(length[1]))


ODD_REQUESTS = {
    "bytes in the query": b"GET /login?\xff\xfe=\x80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "escaped bytes in the path": b"GET /chatroom/%ff%fe%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a surrogate pair": b"GET /chatroom/%ed%a0%80?next=%ed%a0%80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in a header": b"GET /login HTTP/1.1\r\nHost: x\r\nUser-Agent: \xff\xfe\r\nCookie: session=\xff\r\n\r\n",
    "no host": b"GET /login HTTP/1.1\r\n\r\n",
    "an odd host": b"GET /login HTTP/1.1\r\nHost: \xff[::/@evil\r\n\r\n",
    "two hosts": b"GET /login HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "an absolute address": b"GET http://evil.test/login HTTP/1.1\r\nHost: x\r\n\r\n",
    "no address": b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT": b"CONNECT evil.test:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunks": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a negative length": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a huge length": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 400 + b"\r\n\r\n",
    "a bad chunk": b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "an unknown charset": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
    b"Content-Type: application/x-www-form-urlencoded; charset=rot13\r\n\r\na=",
    "a form without a boundary": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
    b"Content-Type: multipart/form-data\r\n\r\n--",
    "an odd websocket": b"GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "a websocket elsewhere": b"GET /chatroom HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "a websocket with bytes in its query": b"GET /live?room=\xff HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "HTTP/2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a cookie of a thousand parts": b"GET /login HTTP/1.1\r\nHost: x\r\nCookie: " + b"session=a; " * 1000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("request_name", ODD_REQUESTS)
def test_an_odd_request_is_refused_and_is_no_error_of_ours(server: Server, request_name: str) -> None:
    """W04, I08, L14: no 500, no traceback, and the next one is served."""
    before = len(server.log.read_text())
    answer = send(server, ODD_REQUESTS[request_name])
    status = int(answer[9:12]) if answer else 0
    assert status in {0, 200, 303, 400, 401, 403, 404, 405, 411, 413}, answer
    assert server.get()[0] == 200
    assert "Traceback" not in server.log.read_text()[before:]


@pytest.mark.parametrize(
    "path",
    [
        b"/static/../test_mongo.py",
        b"/static/%2e%2e/test_mongo.py",
        b"/static/..%2ftest_mongo.py",
        b"/static/....//test_mongo.py",
        b"/static//etc/passwd",
        b"/static/%2fetc%2fpasswd",
        b"/static/..%5ctest_mongo.py",
        b"/static/css/%00",
        b"/static/.",
        b"/static/",
        b"/.env",
        b"/data/secret_key",
    ],
)
def test_only_the_static_folder_is_served(server: Server, path: bytes) -> None:
    """X04: and no listing of it."""
    answer = send(server, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer[9:12] in {b"404", b"400", b"308"}, answer
    assert b"import" not in answer.partition(b"\r\n\r\n")[2][:200]


@pytest.mark.parametrize(
    ("forged", "address"),
    [
        ([], "192.0.2.1"),
        ([("X-Forwarded-For", "198.51.100.9")], "192.0.2.1"),
        # A header with an underscore looks the same once it is a variable of WSGI.
        ([("X_Forwarded_For", "198.51.100.9")], "192.0.2.1"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_forged_address_is_not_believed(
    server: Server, forged: list[tuple[str, str]], address: str, is_first: bool
) -> None:
    """O03, A08: whichever way it is written, and wherever the proxy put its own."""
    server.user("alice")
    own = [("X-Forwarded-For", "192.0.2.1")]
    if forged and forged[0][0] == own[0][0]:
        is_first = True  # a proxy adds its own at the end
    headers = [*forged, *own] if is_first else [*own, *forged]
    site = f"http://127.0.0.1:{server.port}"
    with httpx.Client(base_url=site, headers=httpx.Headers(headers), timeout=PATIENCE_SECONDS) as browser:
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/login").text)
        assert found
        answer = browser.post(
            "/login",
            data={"csrf_token": found[1], "username": "alice", "password": PASSWORD},
        )
    assert answer.status_code == 303
    sessions = server.services.people.sessions.list_for(server.user("alice"))
    assert {session.address for session in sessions if session.kind == "browser"} == {address}


@pytest.mark.parametrize(
    "headers",
    [
        ["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"],
        ["X_Forwarded_Proto: https", "X-Forwarded-Proto: http"],
        ["X-Forwarded-Proto: http", "X_Forwarded_Proto: https"],
    ],
)
def test_a_forged_scheme_is_not_believed(server: Server, headers: list[str]) -> None:
    """O03: the proxy, which adds its own at the end, said that it was http."""
    answer = send(server, "\r\n".join(["GET /login HTTP/1.1", "Host: x", *headers, "", ""]).encode())
    assert b" 200 OK" in answer
    assert b"strict-transport-security" not in answer.lower()


@pytest.mark.parametrize("trailer", ["X-Forwarded-Proto: https", "X-Forwarded-For: 198.51.100.9", "Host: evil.test"])
def test_a_trailer_is_no_header(server: Server, trailer: str) -> None:
    """O12: what comes behind the body was taken for what the proxy had written."""
    request = (
        "POST /login HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
        "Transfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"
        f"5\r\na=b&c\r\n0\r\n{trailer}\r\n\r\n"
    )
    answer = send(server, request.encode())
    assert answer[9:12] == b"400"  # without its token
    assert b"strict-transport-security" not in answer.lower()
