import contextlib
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from chatroom.base.errors import Refused
from chatroom.outbound import public_http as module
from chatroom.outbound.public_http import LARGEST_ANSWER, LOOKED_UP_AT_ONCE, Forbidden, PublicHttp, is_public
from tests.ports import Port
from tests.waiting import PATIENCE_SECONDS

WITHIN = [
    "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1", "192.0.2.1", "198.18.0.1", "240.0.0.1",
    "168.63.129.16", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "169.254.170.2", "192.0.0.192", "3fff::1",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::a9fe:a9fe", "::ffff:168.63.129.16",
    "fec0::1", "192.0.0.8", "192.88.99.1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1",
]  # fmt: skip


@pytest.mark.parametrize("address", WITHIN)
def test_an_address_within_is_not_public(address: str) -> None:
    """P08."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(("address", "own"), [("127.0.0.1", True), ("198.51.100.7", False)])
def test_the_machine_s_own_addresses_are_known(address: str, own: bool) -> None:
    """P08: a public one of its own is no better than the loopback."""
    assert module.is_own(address) is own


def test_an_address_that_cannot_be_reached_is_not_ones_own() -> None:
    assert not module.is_own("2606:4700::1111:ffff%nowhere")


Resolve = Callable[[Callable[..., Any]], None]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Let `public_http`, and nobody else, look names up in another way."""

    def resolve_by(look_up: Callable[..., Any]) -> None:
        monkeypatch.setattr(module, "socket", SimpleNamespace(**vars(socket) | {"getaddrinfo": look_up}))

    return resolve_by


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, self.headers["Host"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(b"x" * 20_000)

        def log_message(self, *_: Any) -> None:
            pass

    asked: list[Any] = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = asked  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_slow_name_lookups_hold_few_threads(resolve: Resolve) -> None:
    """P11: whoever owns a name decides how long its server takes to answer."""
    begun, may_end = threading.Semaphore(0), threading.Event()

    def look_up(*_: Any, **__: Any) -> Any:
        begun.release()
        may_end.wait(PATIENCE_SECONDS)
        raise OSError

    resolve(look_up)
    public_http = PublicHttp()
    threads = [threading.Thread(target=public_http.is_allowed, args=("slow.test",)) for _ in range(LOOKED_UP_AT_ONCE)]
    try:
        for thread in threads:
            thread.start()
            assert begun.acquire(timeout=PATIENCE_SECONDS)
        with pytest.raises(Refused) as refusal:
            public_http.is_allowed("slow.test")
        assert refusal.value.reason == "busy"
    finally:
        may_end.set()
    for thread in threads:
        thread.join()
    assert not public_http.is_allowed("slow.test")


class TestPost:
    """P08."""

    def test_a_server_that_answers_byte_by_byte_is_abandoned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It would go on for as long as somebody listens."""
        monkeypatch.setattr(module, "LONGEST_ANSWER_SECONDS", 0.3)
        over, ends = threading.Event(), []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(PATIENCE_SECONDS)

            def trickle() -> None:
                peer, _ = listener.accept()
                with peer:
                    try:
                        peer.sendall(b"HTTP/1.1 200 OK\r\nX-A: ")
                        while not over.wait(0.05):  # the pace of the bytes
                            peer.sendall(b"a")
                    except OSError:
                        ends.append("cut")

            thread = threading.Thread(target=trickle)
            thread.start()
            give_up = threading.Timer(PATIENCE_SECONDS, over.set)
            give_up.start()
            try:
                with contextlib.suppress(OSError):
                    PublicHttp(["localhost"]).post(f"http://localhost:{listener.getsockname()[1]}/", timeout=0.5)
                thread.join()
            finally:
                give_up.cancel()
                over.set()
            assert ends == ["cut"]

    def test_a_host_that_is_allowed_is_asked_under_its_name(self, server: Any) -> None:
        port = server.server_address[1]
        answer = PublicHttp(["LocalHost"]).post(
            f"http://localhost:{port}/a?b=c", data=b"hi", headers={"X-N": 1}, timeout=60
        )

        assert (answer.status_code, len(answer.text)) == (200, LARGEST_ANSWER)
        assert server.asked == [("/a?b=c", f"localhost:{port}", b"hi")]

    def test_a_public_address_of_this_machine_is_within(self, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """P08: the loopback stands in for one."""
        monkeypatch.setattr(module, "is_public", lambda _: True)
        with pytest.raises(Forbidden):
            PublicHttp().post(f"http://127.0.0.1:{server.server_address[1]}/")
        assert server.asked == []
        assert PublicHttp(["127.0.0.1"]).post(f"http://127.0.0.1:{server.server_address[1]}/").status_code == 200

    def test_a_redirect_is_not_followed(self, server: Any) -> None:
        port = server.server_address[1]

        assert PublicHttp(["localhost"]).post(f"http://localhost:{port}/away", timeout=60).status_code == 302
        assert len(server.asked) == 1

    @pytest.mark.parametrize(
        "host", ["localhost", "127.0.0.1", "[::1]", "0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"]
    )
    def test_an_address_within_is_never_asked(self, server: Any, host: str) -> None:
        with pytest.raises(Forbidden):
            PublicHttp().post(f"http://{host}:{server.server_address[1]}/")
        assert server.asked == []

    @pytest.mark.parametrize(
        "url", ["ftp://1.1.1.1/", "file:///etc/passwd", "https://", "http://user@1.1.1.1/", "x", ""]
    )
    def test_other_addresses_are_refused(self, url: str) -> None:
        with pytest.raises(Forbidden):
            PublicHttp().post(url)

    def test_the_connection_goes_to_the_address_that_was_looked_at(self, server: Any, resolve: Resolve) -> None:
        """DNS rebinding: the second answer leads within."""
        answers = iter(["93.184.215.14", "127.0.0.1"])

        def look_up(*_: Any, **__: Any) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 80))]

        public_http = PublicHttp()
        resolve(look_up)
        assert public_http._find_address("rebind.test", 80) == "93.184.215.14"
        with pytest.raises(Forbidden):
            public_http._find_address("rebind.test", 80)

    def test_one_private_address_among_others_is_refused(self, resolve: Resolve) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 80)) for each in ("1.1.1.1", "10.0.0.1")]
        resolve(lambda *_, **__: found)
        assert not PublicHttp().is_allowed("both.test")

    def test_nobody_answers(self) -> None:
        port = Port()
        with pytest.raises(OSError, match="refused"):
            PublicHttp(["localhost"]).post(f"http://localhost:{port.number}/", timeout=60)
        port.release()

    def test_an_unknown_host_is_not_allowed(self, resolve: Resolve) -> None:
        def look_up(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        resolve(look_up)
        assert not PublicHttp().is_allowed("no-such-name.invalid")
