"""Logs: lines of JSON for programs, or readable lines for people.

Text of users is escaped, so that it cannot look like another line. Credentials in addresses are masked.
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
"""The longest text of a line. A library may log text of clients."""
LONGEST_LINE = 500
"""The longest line of a traceback. A database error may contain a document."""

_credentials = re.compile(r"(mongodb(?:\+srv)?://)\S*@")  # up to the last @, because a password may contain an @
_control = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_standard = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def configure_logging(level: str, form: str = "auto", stream: TextIO | None = None) -> None:
    """Write log records to `stream` (by default standard error) as `text` or `json`.

    The form `auto` is `text` if the stream is a terminal, otherwise `json`.
    """
    stream = stream or sys.stderr
    handler = BoundedHandler(stream)
    is_text = form == "text" or (form == "auto" and stream.isatty())
    times = "%H:%M:%S" if stream.isatty() else "%Y-%m-%d %H:%M:%S %z"
    handler.setFormatter(TextFormatter(times) if is_text else JSONFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("pymongo").setLevel(logging.WARNING)  # lower levels log whole documents


def speak_any_alphabet() -> None:
    """Escape characters that the encoding of the terminal lacks, so that printing does not fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class BoundedHandler(logging.StreamHandler[TextIO]):
    """Writes records to a stream, within `LogLimits`."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._limits = LogLimits()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, unless there were too many of its kind."""
        for line in self._limits.take(record):
            super().emit(line)


class JSONFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
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
        return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")  # some programs treat them as line ends


class TextFormatter(logging.Formatter):
    """Formats a record as a line for people, with the local time first and the traceback below."""

    def __init__(self, times: str = "%H:%M:%S") -> None:
        super().__init__(datefmt=times)

    def format(self, record: logging.LogRecord) -> str:
        words = [
            datetime.fromtimestamp(record.created).astimezone().strftime(str(self.datefmt)),
            f"{record.levelname:7}",
            escaped(_masked(record.getMessage())),
            *(f"{name}={escaped(str(_plain(value)))}" for name, value in extra_of(record).items()),
        ]
        if record.exc_info:
            return " ".join(words) + "\n" + _short(self.formatException(record.exc_info))
        return " ".join(words)


def extra_of(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _standard}


def escaped(text: str) -> str:
    """Escape characters that move the cursor of a terminal or begin a new line."""
    return _control.sub(lambda found: ascii(found.group())[1:-1], text)


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else _masked(str(value))


def _masked(text: str) -> str:
    # A lone surrogate cannot be encoded as UTF-8. JSON itself escapes all other characters.
    return _credentials.sub(r"\1***@", text).encode("utf-8", "backslashreplace").decode()[:LONGEST_TEXT]


def _short(traceback: str) -> str:
    return "\n".join(_masked(line)[:LONGEST_LINE] for line in traceback.splitlines())
