"""Logs: one JSON object a line for programs, a readable line on a terminal.

What people typed is escaped, so that it cannot look like a line of its own; credentials in addresses are masked.
"""

import io
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

from chatroom.base.log_limits import LogLimits

LONGEST_TEXT = 2000
"""Of a message, or of what comes with it: a library may put into it what a client sent."""
LONGEST_LINE = 500
"""Of a traceback: the message of a database error may carry the document that it is about."""

_credentials = re.compile(r"(mongodb(?:\+srv)?://)\S*@")  # to the last @: a password may hold others
_control = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_standard = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send every log record to `stream` (standard error), in the form that suits it."""
    stream = stream or sys.stderr
    handler = BoundedHandler(stream)
    handler.setFormatter(TerminalFormatter() if stream.isatty() else JSONFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("pymongo").setLevel(logging.WARNING)  # below it, whole documents


def speak_any_alphabet() -> None:
    """Write what the terminal's encoding has no letters for as escapes, rather than end with an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class BoundedHandler(logging.StreamHandler[TextIO]):
    """Writes to a stream, and leaves out what is too much."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._limits = LogLimits()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, unless there were too many like it."""
        for line in self._limits.take(record):
            super().emit(line)


class JSONFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Everything there is to know about a record, on one line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": _masked(record.getMessage()),
            **{name: _plain(value) for name, value in extra_of(record).items()},
        }
        if record.exc_info:
            line["exception"] = _short(self.formatException(record.exc_info))
        text = msgspec.json.encode(line).decode()
        return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")  # line ends to some


class TerminalFormatter(logging.Formatter):
    """A record as a line for people, its traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, message, and what came with it."""
        words = [
            datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S"),
            f"{record.levelname:7}",
            escaped(_masked(record.getMessage())),
            *(f"{name}={escaped(str(_plain(value)))}" for name, value in extra_of(record).items()),
        ]
        if record.exc_info:
            return " ".join(words) + "\n" + _short(self.formatException(record.exc_info))
        return " ".join(words)


def extra_of(record: logging.LogRecord) -> dict[str, Any]:
    """What was given as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _standard}


def escaped(text: str) -> str:
    """The text without anything that moves a terminal's cursor, or makes another line."""
    return _control.sub(lambda found: ascii(found.group())[1:-1], text)


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else _masked(str(value))


def _masked(text: str) -> str:
    # A lone surrogate cannot be written; JSON escapes the rest by itself.
    return _credentials.sub(r"\1***@", text).encode("utf-8", "backslashreplace").decode()[:LONGEST_TEXT]


def _short(traceback: str) -> str:
    return "\n".join(_masked(line)[:LONGEST_LINE] for line in traceback.splitlines())
