"""`python test_mongo.py`, for real: what it says, and that nothing is left however it ends.

A6, A7, F08.
"""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chatroom.base.config import Settings
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.people.first_account import first_code
from chatroom.serve import server
from chatroom.serve.server import PortError, open_ports
from tests.processes import make_python_without_prctl, mongods, parent_of
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
HANDSHAKE = (
    "GET /live?room=lobby HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: MDAwMDAwMDAwMDAwMDAwMA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SERVE = [sys.executable, "test_mongo.py"]
# Without the alarm that ends it after ten seconds, whatever hangs: what ends then, ends in good order.
SERVE_WITHOUT_ALARM = [
    sys.executable,
    "-c",
    "from chatroom.serve import start; start._LAST_SECONDS = 3600; raise SystemExit(start.serve())",
]


def _as_in_a_terminal() -> None:
    """Tests that run under nohup would leave SIGHUP ignored, and the server then leaves it so."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Running:
    """A server that was started as a person would, and what it says."""

    def __init__(self, command: list[str], environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_as_in_a_terminal,  # noqa: PLW1509  started from the main thread
        )
        self.banner = ""

    def wait_for_banner(self) -> str:
        assert self.process.stdout is not None
        patience = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        patience.start()
        while "Ctrl-C" not in self.banner:
            line = self.process.stdout.readline()
            assert line, self.process.communicate()
            self.banner += line
        patience.cancel()
        return self.banner

    @property
    def url(self) -> str:
        return re.findall(r"http://[^\s,]+", self.wait_for_banner())[0]

    def get(self, path: str = "/livez") -> int:
        try:
            with urllib.request.urlopen(self.url + path, timeout=PATIENCE_SECONDS) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def connect(self) -> socket.socket:
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)

    def finish(self) -> tuple[int, str]:
        said = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, said[1]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def start(data: Path) -> Iterator[Callable[..., Running]]:
    """Start servers on a folder of their own and on any free port; what is still running at the end is killed."""
    started: list[Running] = []

    def make(*, command: list[str] = SERVE, **settings: str) -> Running:
        inherited = {name: os.environ[name] for name in os.environ if not name.startswith(("MONGO", "SECRET"))}
        own = {"DATA_DIR": str(data), "PORT": "0", "LOG_LEVEL": "WARNING"}
        started.append(Running(command, inherited | own | settings))
        return started[-1]

    yield make
    for running in started:
        running.process.kill()
        running.process.communicate()
    wait_until(lambda: not belonging(data))


def belonging(data: Path) -> list[int]:
    """The processes that have this data folder in their command line or their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            known = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(data).encode() in known:
            found.append(int(process.name))
    return found


def workers_of(running: Running) -> list[int]:
    pid = running.process.pid
    workers = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):  # it ends at this moment
            if b"chatroom.serve.workers" in Path(f"/proc/{child}/cmdline").read_bytes():
                workers.append(int(child))
    return workers


def run(code: str) -> tuple[int, str]:
    """Run a program to its end: its exit code, and what it complains of."""
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=ROOT, timeout=PATIENCE_SECONDS, check=False, capture_output=True, text=True)
    return ended.returncode, ended.stderr


def stop(running: Running, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
    running.process.send_signal(number)
    return running.finish()


class TestStart:
    def test_prints_address_data_folder_administrator_and_how_to_stop(self, start: Any, data: Path) -> None:
        banner = start(SITE_NAME="Tea room").wait_for_banner()
        assert re.search(r"Tea room is at http://127\.0\.0\.1:\d+\n", banner)
        assert str(data) in banner
        assert "first account to register is the administrator" in banner
        assert "Ctrl-C" in banner

    def test_on_every_interface_prints_an_address_that_can_be_opened(self, start: Any) -> None:
        running = start(IP="0.0.0.0")
        assert running.url.startswith("http://127.0.0.1:")
        assert "and at this machine's other addresses" in running.banner

    def test_makes_a_secret_once_for_its_owner_alone(self, start: Any, data: Path) -> None:
        running = start()
        running.wait_for_banner()
        secret = (data / "secret_key").read_text()
        assert len(secret) == 64
        assert stat.S_IMODE((data / "secret_key").stat().st_mode) == 0o600
        running.kill()
        wait_until(lambda: not belonging(data))
        start().wait_for_banner()
        assert (data / "secret_key").read_text() == secret

    def test_a_taken_port_is_one_clear_line(self, start: Any, data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            code, said = start(PORT=str(port)).finish()
        assert code == 1
        assert (
            said
            == f"chatroom: Port {port} is in use. Stop the program that uses it, or set another port: PORT={port + 1}\n"
        )
        assert not data.exists()

    def test_a_port_that_another_shares_is_taken(self, start: Any) -> None:
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            other.bind(("127.0.0.1", 0))
            other.listen()
            for processes in ("1", "2"):
                code, said = start(PORT=str(other.getsockname()[1]), WEB_CONCURRENCY=processes).finish()
                assert code == 1
                assert "is in use" in said

    @pytest.mark.parametrize("processes", ["1", "2"])
    @pytest.mark.parametrize("uri", ["mongodb+srv://cluster0.invalid/", "mongodb://ann:hush@127.0.0.1/?tls=maybe"])
    def test_o10_an_address_that_cannot_be_used_is_one_clear_line(self, start: Any, uri: str, processes: str) -> None:
        """O10."""
        code, said = start(MONGO_URI=uri, SECRET_KEY="k" * 32, WEB_CONCURRENCY=processes).finish()
        assert (code, said.count("\n")) == (2, 1)
        assert said.startswith("chatroom: MONGO_URI cannot be used: ")
        assert "hush" not in said

    @pytest.mark.parametrize("processes", ["1", "2"])
    def test_o10_an_account_that_may_not_use_the_database_is_one_clear_line(
        self, start: Any, mongod: EmbeddedMongo, processes: str
    ) -> None:
        """O10."""
        wrong = mongod.uri.replace("mongodb://chatroom:", "mongodb://chatroom:hush")
        running = start(MONGO_URI=wrong, SECRET_KEY="k" * 32, WEB_CONCURRENCY=processes)
        code, said = running.finish()
        assert code == 2
        assert said == "chatroom: MongoDB refuses the user name or the password of MONGO_URI\n"

    @pytest.mark.parametrize("processes", ["1", "2"])
    def test_the_start_reports_a_database_that_does_not_answer(self, start: Any, processes: str) -> None:
        settings = {"MONGO_URI": "mongodb://127.0.0.1:9", "SECRET_KEY": "k" * 32, "STORE_TIMEOUT_SECONDS": "0.3"}
        running = start(**settings, WEB_CONCURRENCY=processes, LOG_LEVEL="ERROR")
        assert running.get() == 200
        assert "the database does not answer yet; pages answer 503 until it does" in running.banner

    def test_a13_a_public_site_prints_the_code_of_the_first_account(self, start: Any, data: Path) -> None:
        """A13."""
        banner = start(TRUSTED_PROXIES="1", SITE_NAME="Tëa", PYTHONIOENCODING="ascii").wait_for_banner()
        assert first_code((data / "secret_key").read_text()) in banner
        assert "T\\xeba is at http://" in banner

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({"PORT": "many"}, "PORT='many' is not allowed"),
            ({"SECRET_KEY": "dev"}, "SECRET_KEY (or SECRET) is too short"),
            ({"MONGO_URI": "mongodb://127.0.0.1:1"}, "SECRET_KEY is missing"),
            ({"DATA_DIR": str(ROOT)}, f"The data folder {ROOT} contains other files"),
            ({"PATH": "/nowhere", "DATA_DIR": "/dev/null/x"}, "The data folder /dev/null/x cannot be used"),
        ],
    )
    def test_a_wrong_setting_is_one_clear_line(self, start: Any, settings: dict[str, str], said: str) -> None:
        code, error = start(**settings).finish()
        assert code == 2
        assert error.startswith(f"chatroom: {said}")
        assert error.count("\n") == 1

    def test_a_second_one_on_the_same_folder_is_one_clear_line(self, start: Any, data: Path) -> None:
        first = start()
        first.wait_for_banner()
        code, said = start().finish()
        assert (code, said.count("\n")) == (2, 1)
        assert f"(process {first.process.pid}) uses the data folder {data}" in said
        assert first.get() == 200


class TestEnd:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
    def test_a_signal_ends_it_in_good_order(self, start: Any, data: Path, number: signal.Signals) -> None:
        running = start(command=SERVE_WITHOUT_ALARM)
        assert running.get() == 200
        with running.connect() as half_a_request:
            half_a_request.sendall(b"GET /livez HTTP/1.1\r\nHost:")
            assert stop(running, number) == (0, "")
        wait_until(lambda: not belonging(data))

    def test_a_signal_before_it_is_ready_ends_it_too(self, start: Any, data: Path) -> None:
        running = start()
        wait_until((data / "mongod.log").exists)
        assert stop(running) == (0, "")
        wait_until(lambda: not belonging(data))

    def test_a_signal_in_an_object_s_last_moment_ends_it_too(self) -> None:
        """Python throws away what is raised there."""
        code = (
            "import signal, time, weakref\n"
            "from chatroom.serve.leaving import leave_on_signals\n"
            "class Thing: pass\n"
            "thing = Thing()\n"
            "reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGTERM))\n"
            "leave_on_signals()\n"
            "del thing\n"
            "time.sleep(3600)\n"
        )
        assert run(code) == (0, "")

    def test_a_blocked_thread_does_not_delay_the_stop(self) -> None:
        code = (
            "import signal, sys, threading, time\n"
            "from chatroom.serve import start\n"
            "start._LAST_SECONDS = 0.2\n"
            "threading.Thread(target=time.sleep, args=[3600]).start()\n"
            "start.leave_on_signals(start._give_up_in_time)\n"
            "signal.raise_signal(signal.SIGTERM)\n"
        )
        assert run(code) == (0, "")

    def test_a_refused_websocket_is_no_error(self, start: Any) -> None:
        running = start(LOG_LEVEL="ERROR")
        with running.connect() as handshake:
            handshake.sendall(HANDSHAKE.encode())
            assert handshake.recv(100).startswith(b"HTTP/1.1 40")
        assert stop(running) == (0, "")

    def test_kill_leaves_nothing_behind(self, start: Any, data: Path) -> None:
        running = start()
        running.wait_for_banner()
        running.process.kill()
        wait_until(lambda: not belonging(data))

    def test_killing_make_stops_the_server(self, start: Any, data: Path) -> None:
        running = start(command=["sh", "-c", f"CHATROOM_PARENT=$$ {sys.executable} test_mongo.py; true"])
        running.wait_for_banner()
        running.process.kill()
        wait_until(lambda: not belonging(data))

    def test_a_make_that_was_killed_before_leaves_nothing_running(self, start: Any) -> None:
        assert start(CHATROOM_PARENT="1").finish() == (0, "")


class TestWorkers:
    def test_serve_together_and_end_together_and_one_that_dies_is_replaced(self, start: Any, data: Path) -> None:
        running = start(WEB_CONCURRENCY="2", METRICS_TOKEN="a token of 16 bytes", TMPDIR=str(data.parent))
        assert running.get() == 200
        wait_until(lambda: len(workers_of(running)) == 2)
        for _ in range(20):
            running.get()
        dying, staying = workers_of(running)
        os.kill(dying, signal.SIGKILL)
        wait_until(lambda: staying in (now := workers_of(running)) and dying not in now and len(now) == 2)
        request = urllib.request.Request(
            running.url + "/metrics", headers={"Authorization": "Bearer a token of 16 bytes"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            assert b'chatroom_http_requests_total{route="health.livez",status="2xx"} 21.0' in answer.read()  # of all
        code, said = stop(running)
        assert not list(data.parent.glob("chatroom-metrics-*"))
        assert (code, said.count("\n")) == (0, 1)
        assert f"process {dying} exited with -9 and is replaced" in said
        wait_until(lambda: not belonging(data))

    def test_none_outlives_a_killed_parent(self, start: Any, data: Path) -> None:
        running = start(WEB_CONCURRENCY="2")
        assert running.get() == 200
        running.process.kill()
        wait_until(lambda: not belonging(data))


class TestWithoutPrctl:
    """As on macOS, where the kernel does not end a process when its parent ends."""

    def test_no_process_outlives_its_parent(self, start: Any, data: Path, tmp_path: Path) -> None:
        """F15."""
        command = [make_python_without_prctl(tmp_path), "test_mongo.py"]
        running = start(command=command, WEB_CONCURRENCY="2")
        assert running.get() == 200
        (mongod,) = mongods(data)
        os.kill(parent_of(mongod), signal.SIGKILL)  # the guardian
        wait_until(lambda: mongods(data) not in ([], [mongod]))
        wait_until(lambda: running.get("/readyz") == 200)
        running.process.kill()
        wait_until(lambda: not belonging(data))
        # and a server of make does not outlive make
        running = start(command=["sh", "-c", f"CHATROOM_PARENT=$$ {' '.join(command)}; true"])
        running.wait_for_banner()
        running.process.kill()
        wait_until(lambda: not belonging(data))


class TestPort:
    def test_is_shared_by_our_own_processes_alone(self) -> None:
        with open_ports(Settings(port=0))[0] as listener, socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with pytest.raises(OSError, match="in use"):
                other.bind(listener.getsockname())

    def test_bounds_what_the_kernel_keeps_for_a_reader_that_stalls(self) -> None:
        with (
            open_ports(Settings(port=0, send_buffer_bytes=32_768))[0] as listener,
            socket.create_connection(listener.getsockname()),
            listener.accept()[0] as connection,
        ):
            # Linux doubles the number, for its own bookkeeping.
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 65_536

    def test_is_one_socket_where_the_kernel_distributes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "BALANCES", False)
        first, second = open_ports(Settings(port=0, web_concurrency=2))
        with first, second, socket.create_connection(first.getsockname()):
            first.close()
            second.accept()[0].close()

    def test_can_be_of_the_newer_kind(self) -> None:
        with open_ports(Settings(ip="::1", port=0))[0] as listener:
            assert listener.family == socket.AF_INET6

    @pytest.mark.parametrize("ip", ["203.0.113.1", "no such name"])
    def test_of_another_machine_names_the_setting(self, ip: str) -> None:
        with pytest.raises(PortError, match=rf"IP={ip} cannot be used"):
            open_ports(Settings(ip=ip, port=0))

    def test_of_the_system_names_a_way_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(server, "_bind", refuse)
        with pytest.raises(PortError, match=r"Port 80 .* PORT=5000"):
            open_ports(Settings(port=80))
