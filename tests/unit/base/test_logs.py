import ast
import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from chatroom.base.logs import JSONFormatter, TextFormatter, configure_logging, escaped
from tests.documents import ROOT, section, tables

FAKE = 'alice\n{"level":"INFO"} fake\x1b[2J\u2028\u202e'


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger, drivers = logging.getLogger(), logging.getLogger("pymongo")
    handlers, level, drivers_level = logger.handlers, logger.level, drivers.level
    yield logger
    logger.handlers = handlers
    logger.setLevel(level)
    drivers.setLevel(drivers_level)


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    return logging.getLogger("chatroom.x").makeRecord(
        "chatroom.x", logging.WARNING, "x.py", 1, message, args, None, extra=extra
    )


def test_every_record_is_one_line() -> None:
    """I07."""
    line = JSONFormatter().format(record("a log-in failed: %s", FAKE, user_agent=FAKE))
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    read = json.loads(line)
    assert read["message"] == f"a log-in failed: {FAKE}"
    assert read["user_agent"] == FAKE
    assert (read["level"], read["logger"]) == ("WARNING", "chatroom.x")
    assert read["at"].endswith("Z")


def test_a_terminal_is_not_steered() -> None:
    """I07."""
    line = TextFormatter().format(record("a log-in failed: %s", FAKE, user=FAKE))
    assert len(line.splitlines()) == 1
    assert not set("\x1b\n\u2028\u202e") & set(line)
    assert "user=alice" in line


@pytest.mark.parametrize("formatter", [JSONFormatter(), TextFormatter()])
def test_credentials_are_masked(formatter: logging.Formatter) -> None:
    """O06."""
    try:
        raise RuntimeError("mongodb+srv://root:hunter22@db/ does not answer")
    except RuntimeError as error:
        it = record("no %s", "mongodb://me:hunter22@db:27017/x", uri="mongodb://me:@/hunter22@hunter22@db/")
        it.exc_info = (type(error), error, error.__traceback__)
    line = formatter.format(it)
    assert "hunter22" not in line
    assert line.count("mongodb://***@db") == 2
    assert "RuntimeError" in line


def test_a_long_exception_is_cut() -> None:
    """O06: a database error may carry a whole document."""
    try:
        raise RuntimeError("x" * 100_000)
    except RuntimeError as error:
        it = record("failed")
        it.exc_info = (type(error), error, error.__traceback__)
    assert len(JSONFormatter().format(it)) < 3000


def test_odd_values_are_written() -> None:
    line = json.loads(
        JSONFormatter().format(record("\ud800", number=7, ratio=0.5, nothing=None, is_so=True, it={"a": 1}))
    )
    assert line["message"] == "\\ud800"
    assert (line["number"], line["ratio"], line["nothing"], line["is_so"], line["it"]) == (
        7,
        0.5,
        None,
        True,
        "{'a': 1}",
    )
    assert escaped("a\0b") == "a\\x00b"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("form", "kind", "start"),
    [
        ("auto", io.StringIO, r"\{"),
        ("auto", Terminal, r"\d\d:\d\d:\d\d INFO"),
        ("json", Terminal, r"\{"),
        ("text", io.StringIO, r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+\d{4} INFO"),
    ],
)
def test_the_form_suits_the_reader(root: logging.Logger, form: str, kind: type[io.StringIO], start: str) -> None:
    stream = kind()
    configure_logging("INFO", form, stream)
    logging.getLogger("chatroom.x").info("hello")
    logging.getLogger("chatroom.x").debug("not this")
    logging.getLogger("pymongo.command").info("a whole document")
    [line] = stream.getvalue().splitlines()
    assert "hello" in line
    assert re.match(start, line)


def test_a_flood_is_cut_short(root: logging.Logger) -> None:
    """L16: in lines, and in what one of them says."""
    stream = io.StringIO()
    configure_logging("INFO", stream=stream)
    for _ in range(1000):
        logging.getLogger("chatroom.x").warning("too long: %s", "x" * 100_000, extra={"origin": "y" * 100_000})
    assert 0 < len(stream.getvalue()) < 200_000


def test_each_field_is_documented() -> None:
    named = set()
    for path in (ROOT / "chatroom").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "extra" and isinstance(node.value, ast.Dict):
                named |= {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
    [table] = tables(section("docs/monitoring.md", "Logs"))
    documented = {name for row in table for name in re.findall(r"`(\w+)`", row[0])}
    assert documented == named | {"at", "level", "logger", "message", "exception"}
