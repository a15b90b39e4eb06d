"""Serve the site on a scratch database with three people, and restart the server when a file changes.

The database, its folder and the server end with this process, even if it is killed.
"""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chatroom.base.config import load_settings, read_dotenv
from chatroom.base.errors import ChatroomError
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.serve import server, workers
from chatroom.serve.leaving import leave_on_signals
from tools.dev_people import PASSWORD, PEOPLE, settle_in

ROOT = Path(__file__).resolve().parents[1]
WATCHED = "chatroom", "templates", "static"
_LOOK_SECONDS = 0.4
_STOP_SECONDS = 15

Stamps = dict[Path, int]
"""The time of the last change of each watched file."""


def main() -> None:
    """Serve until a signal arrives."""
    leave_on_signals()
    signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))  # the terminal was closed
    if make := os.environ.pop("CHATROOM_PARENT", ""):
        workers.follow(int(make), signal.SIGTERM)
    try:
        with scratch_database() as environment:
            _say(f"\n  people   {', '.join(PEOPLE)} (the first is the administrator)\n  password {PASSWORD}")
            _say("  database made for this run, and removed when it ends\n")
            _serve_again_and_again(os.environ | environment)
    except ChatroomError as error:
        sys.exit(f"chatroom: {error}")


@contextmanager
def scratch_database(fill: Callable[[str, str], None] = settle_in) -> Iterator[dict[str, str]]:
    """Start a mongod in a temporary folder, and yield the settings of a server that uses it.

    `fill` gets the URI of the database and the secret key, and creates the first content.
    """
    read_dotenv(ROOT / ".env")
    for listener in server.open_ports(load_settings(os.environ | {"MONGO_URI": "mongomock://"})):
        listener.close()  # a port that is in use fails before anything is started
    with tempfile.TemporaryDirectory(prefix="chatroom-dev-") as folder, EmbeddedMongo.launch(Path(folder)) as mongo:
        key = secrets.token_hex(32)
        fill(mongo.wait_until_ready(), key)
        yield {"MONGO_URI": mongo.uri, "MONGO_DB": mongo.database, "SECRET_KEY": key}


def _serve_again_and_again(environment: dict[str, str]) -> None:
    stamps = read_stamps()
    while True:
        with serve(environment) as process:
            stamps = _wait_for_change(stamps, process)


@contextmanager
def serve(environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server with these environment variables."""
    command = [sys.executable, str(ROOT / "test_mongo.py")]
    process = subprocess.Popen(command, cwd=ROOT, env=environment | {"CHATROOM_PARENT": str(os.getpid())})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_change(before: Stamps, process: "subprocess.Popen[bytes]") -> Stamps:
    has_ended = False
    while (now := read_stamps()) == before:
        if not has_ended and process.poll() is not None:
            has_ended = True
            _say("The server has ended. It starts again when a file changes; Ctrl-C stops.")
        time.sleep(_LOOK_SECONDS)
    changed = sorted({path for path, _ in now.items() ^ before.items()})
    _say(f"{changed[0].relative_to(ROOT)} changed: the server starts again.")
    return now


def read_stamps(root: Path = ROOT) -> Stamps:
    """Read when each source file was changed; backup files of editors are ignored."""
    stamps = {}
    for path in (path for folder in WATCHED for path in (root / folder).rglob("*")):
        if "__pycache__" not in path.parts and not path.name.startswith(".") and not path.name.endswith("~"):
            with suppress(FileNotFoundError):  # it was deleted in the meantime
                stamps[path] = 0 if path.is_dir() else path.stat().st_mtime_ns
    return stamps


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
