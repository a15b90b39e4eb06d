"""The line of the Procfile, run by a shell as a Heroku-style host does, with a replica set as the database."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chatroom.mongo.embedded import EmbeddedMongo
from tests.documents import read
from tests.ports import Port
from tests.recipes.browsers import Browser, Routed
from tests.waiting import wait_until

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[2]
LONGEST_STOP_SECONDS = 10
ROUTER = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}


def test_the_line_serves_at_the_port_of_the_host_and_stops_in_time(mongod: EmbeddedMongo, tmp_path: Path) -> None:
    [line] = read("Procfile").splitlines()
    kind, _, command = line.partition(": ")
    assert kind == "web"
    assert "IP=0.0.0.0 " in command
    port = Port()
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    settings = {"MONGO_URI": mongod.root_uri, "MONGO_DB": "procfile", "SECRET_KEY": "x" * 64}
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["sh", "-c", command.replace("0.0.0.0", "127.0.0.1")],
            cwd=ROOT,
            env={"PATH": path, "HOME": str(tmp_path), "PORT": str(port.number), **settings},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(lambda: "needs the code" in log.read_text())
        router = Routed({"https": f"http://127.0.0.1:{port.number}"})
        with Browser(base_url="https://chat.example.org", headers=ROUTER, transport=router) as alice:
            assert alice.get("/readyz").status_code == 200
            alice.register("alice", log.read_text())
            assert alice.say("The first post").status_code == 303
            assert "The first post" in alice.get("/chatroom").text
            assert all(cookie.secure for cookie in alice.cookies.jar)
        os.killpg(process.pid, signal.SIGTERM)  # the host signals every process
        process.wait(LONGEST_STOP_SECONDS)
        wait_until(lambda: not _is_running(process.pid))
    finally:
        if _is_running(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        port.release()


def _is_running(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
