"""Start all parts for `python test_mongo.py`, and stop them in the right order.

The embedded mongod starts first, because it takes longest. It stops last.
"""

import logging
import os
import resource
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from chatroom import __version__
from chatroom.base.config import Settings, find_misspelt, load_settings, read_dotenv
from chatroom.base.errors import ChatroomError
from chatroom.base.logs import configure_logging, speak_any_alphabet
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.people.first_account import first_code
from chatroom.serve import server, workers
from chatroom.serve.leaving import leave_on_signals
from chatroom.serve.systemd import notify
from chatroom.site.metrics import FOLDER

_log = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[2]
_BAD_PORT = 1
_FILES = 65_536
_FEWER_FILES = 10_240
_LAST_SECONDS = 9.5
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104


def serve() -> int:
    """Serve until a signal arrives; return the exit code."""
    try:
        speak_any_alphabet()
        leave_on_signals(_give_up_in_time)
        _leave_on_hangup()
        _follow_maker()
        read_dotenv(_ROOT / ".env")
        settings = load_settings(os.environ)
        configure_logging(settings.log_level, settings.log_format)
        for warning in find_misspelt(os.environ):
            _log.warning(warning)
        allow_many_files()
        listeners = server.open_ports(settings)
        with _metrics(settings), _database(settings):
            return _run(settings, listeners)
    except server.PortError as error:
        return _complain(error, _BAD_PORT)
    except ChatroomError as error:
        return _complain(error, workers.BAD_SETUP)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0


def _give_up_in_time() -> None:
    """Exit within ten seconds of the first signal, even if a thread still waits. The guardian then stops mongod."""
    if signal.getitimer(signal.ITIMER_REAL)[0] == 0:
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.setitimer(signal.ITIMER_REAL, _LAST_SECONDS)
        notify("STOPPING=1")


def allow_many_files() -> None:
    """Raise the limit of open files: each connection is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    for wanted in (most, min(most, _FEWER_FILES)):
        if soft != resource.RLIM_INFINITY and soft < wanted:
            with suppress(ValueError):  # a Mac with little memory refuses 65,536, although its hard limit is infinite
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                return


def _leave_on_hangup() -> None:
    """Stop when the terminal is closed; uvicorn handles only SIGTERM and SIGINT."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` ignores this signal
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


def _follow_maker() -> None:
    """Stop when `make run` ends, even if make is killed."""
    if maker := os.environ.pop("CHATROOM_PARENT", ""):
        workers.follow(int(maker), signal.SIGTERM)


@contextmanager
def _database(settings: Settings) -> Iterator[None]:
    """Run the embedded mongod unless `MONGO_URI` is set; pass its address to the app and the workers."""
    if not settings.is_embedded:
        if not settings.secret_key:  # the database is in memory
            os.environ["SECRET_KEY"] = secrets.token_hex(32)
        yield
        return
    with EmbeddedMongo.launch(settings.data_path, settings.mongo_db) as mongo:
        os.environ["MONGO_URI"] = mongo.uri
        os.environ["SECRET_KEY"] = settings.secret_key or mongo.folder.keep("secret_key", lambda: secrets.token_hex(32))
        if settings.web_concurrency == 1:
            server.import_app()  # while mongod boots
        mongo.wait_until_ready()
        yield


@contextmanager
def _metrics(settings: Settings) -> Iterator[None]:
    """Make the folder in which several processes count for `/metrics`."""
    if not settings.has_metrics or settings.web_concurrency == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="chatroom-metrics-") as folder:
        os.environ[FOLDER] = folder
        yield


def _run(settings: Settings, listeners: list[socket.socket]) -> int:
    greet = partial(_greet, settings, listeners[0])
    if len(listeners) == 1:
        return server.run(settings, listeners[0], on_ready=greet, on_stop=_give_up_in_time)
    return workers.supervise(listeners, on_ready=greet)


def _greet(settings: Settings, listener: socket.socket, start: str) -> None:
    ip, port = listener.getsockname()[:2]
    host = _EVERYWHERE.get(ip, f"[{ip}]" if ":" in ip else ip)
    others = ", and at this machine's other addresses" if ip in _EVERYWHERE else ""
    where = settings.data_path if settings.is_embedded else "the MongoDB of MONGO_URI"
    lines = ["", f"  {settings.site_name} is at http://{host}:{port}{others}\n"]
    lines += [f"  version  {__version__}", f"  data     {where}"]
    if start == "waiting":
        lines.append("  waiting  the database does not answer yet; pages answer 503 until it does")
    if start != "ready":
        lines.append(f"  people   {_of_the_first(settings)}")
    with suppress(OSError):  # nobody reads the output
        sys.stdout.write("\n".join([*lines, "  stop     Ctrl-C\n\n"]))
        sys.stdout.flush()
    notify("READY=1", f"STATUS={start}, http://{host}:{port}")


def _of_the_first(settings: Settings) -> str:
    if not settings.is_public:
        return "the first account to register is the administrator"
    code = first_code(settings.secret_key or os.environ["SECRET_KEY"])
    return f"the first account to register is the administrator, and needs the code {code}"


def _complain(error: ChatroomError, code: int) -> int:
    sys.stderr.write(f"chatroom: {error}\n")
    return code
