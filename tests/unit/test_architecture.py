"""An import may only point down, and each library has its place."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# From the top down. A module may import from its own layer and from those below it.
LAYERS = [
    ["test_mongo", "chatroom.serve", "chatroom.server", "chatroom.workers"],
    ["chatroom.app"],
    [
        "chatroom.web",
        "chatroom.live",
        "chatroom.http_protocol",
        "chatroom.intake",
        "chatroom.outlet",
        "chatroom.pieces",
        "chatroom.spooling",
    ],
    ["chatroom.services"],
    [],  # the nouns: every module of chatroom that has no place of its own
    ["chatroom.store"],
    ["chatroom.embedded"],
    [
        "chatroom.config",
        "chatroom.names",
        "chatroom.access",
        "chatroom.durations",
        "chatroom.tokens",
        "chatroom.models",
        "chatroom.errors",
        "chatroom.leaving",
    ],
]
NOUNS = LAYERS.index([])

# Which of our modules may import a library.
PLACES = {
    "flask": ["chatroom.web", "chatroom.app"],
    "flask_compress": ["chatroom.web"],
    "flask_login": ["chatroom.web", "chatroom.app"],
    "flask_wtf": ["chatroom.web", "chatroom.app"],
    "wtforms": ["chatroom.web"],
    "werkzeug": ["chatroom.web", "chatroom.app"],
    "jinja2": ["chatroom.web", "chatroom.app"],
    "markupsafe": ["chatroom.web"],
    "a2wsgi": ["chatroom.app"],
    "flask_bcrypt": ["chatroom.passwords", "chatroom.app"],
    "bcrypt": ["chatroom.passwords"],
    "pymongo": ["chatroom.store", "chatroom.embedded"],
    "bson": ["chatroom.store"],
    "gridfs": ["chatroom.store"],
    "mongomock": ["chatroom.store"],
    "uvicorn": [
        "chatroom.live.websocket",
        "chatroom.http_protocol",
        "chatroom.serve",
        "chatroom.server",
        "chatroom.workers",
    ],
    "uvloop": ["chatroom.serve", "chatroom.server", "chatroom.workers"],
    "websockets": ["chatroom.live.deflate", "chatroom.live.frames", "chatroom.live.websocket"],
    "asyncio": [
        "chatroom.live",
        "chatroom.http_protocol",
        "chatroom.intake",
        "chatroom.outlet",
        "chatroom.spooling",
        "chatroom.serve",
        "chatroom.server",
        "chatroom.workers",
    ],
    "socketio": ["chatroom.live.socketio"],
    "engineio": ["chatroom.live.socketio"],
    "markdown_it": ["chatroom.rendering"],
    "PIL": ["chatroom.pictures"],
    "puremagic": ["chatroom.filetypes"],
    "nh3": ["chatroom.rendering"],
    "pywebpush": ["chatroom.push"],
    "py_vapid": ["chatroom.push"],
    "urllib3": ["chatroom.outside"],
    "pygments": ["chatroom.highlighting"],
    "msgspec.json": ["chatroom.live", "chatroom.web", "chatroom.embedded", "chatroom.store", "chatroom.backup"],
}


def modules() -> Iterator[tuple[str, Path]]:
    yield "test_mongo", ROOT / "test_mongo.py"
    for path in sorted((ROOT / "chatroom").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def layer_of(module: str) -> int:
    for number, packages in enumerate(LAYERS):
        if any(is_within(module, package) for package in packages):
            return number
    return NOUNS


@functools.cache
def imports_of(module: str, path: Path) -> tuple[str, ...]:
    """Every module that is imported, wherever in the file, by its full name."""
    return tuple(_imports_of(module, path))


def _imports_of(module: str, path: Path) -> Iterator[str]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in MODULES else base


@pytest.mark.parametrize("module", MODULES)
def test_an_import_points_down(module: str) -> None:
    own = layer_of(module)
    upwards = [name for name in imports_of(module, MODULES[module]) if is_ours(name) and layer_of(name) < own]

    assert upwards == []


def is_ours(name: str) -> bool:
    return name == "test_mongo" or is_within(name, "chatroom")


def test_web_and_live_do_not_know_each_other() -> None:
    """They share the shape of a message, and who is at the other end of a connection."""
    shared = {"chatroom.web.sockets": {"chatroom.live.visitor"}}
    for module, path in MODULES.items():
        for one, other in (("chatroom.web", "chatroom.live"), ("chatroom.live", "chatroom.web")):
            if is_within(module, one):
                known = {name for name in imports_of(module, path) if is_within(name, other)}
                assert known <= {"chatroom.live.protocol"} | shared.get(module, set()), module


@pytest.mark.parametrize("library", PLACES)
def test_a_library_stays_in_its_place(library: str) -> None:
    elsewhere = [
        module
        for module, path in MODULES.items()
        if not any(is_within(module, place) for place in PLACES[library])
        and any(is_within(name, library) for name in imports_of(module, path))
    ]

    assert elsewhere == []


def test_models_and_errors_import_nothing_of_ours() -> None:
    for module in ("chatroom.models", "chatroom.errors"):
        assert not [name for name in imports_of(module, MODULES[module]) if is_ours(name)], module


def test_no_test_is_imported() -> None:
    for module, path in MODULES.items():
        assert not [name for name in imports_of(module, path) if is_within(name, "tests")], module


def test_the_layers_hold_modules_that_exist() -> None:
    """A module that was renamed must not slip into the nouns unseen."""
    named = [package for packages in LAYERS for package in packages]
    assert [package for package in named if package not in MODULES] == []
    nouns = {module for module in MODULES if layer_of(module) == NOUNS}
    assert {"chatroom.messages", "chatroom.rooms", "chatroom.accounts", "chatroom.rendering"} <= nouns


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import flask", {"flask"}),
        ("import a.b as c, d", {"a.b", "d"}),
        ("from chatroom.store import messages", {"chatroom.store.messages"}),
        ("from chatroom.errors import Refused", {"chatroom.errors"}),
        ("from . import database", {"chatroom.store.database"}),
        ("from .database import Database", {"chatroom.store.database"}),
        ("from ..errors import Refused", {"chatroom.errors"}),
        ("def f():\n    from pymongo import x", {"pymongo"}),
        ("if TYPE_CHECKING:\n    import bson", {"bson"}),
    ],
)
def test_every_way_to_import_is_seen(tmp_path: Path, source: str, expected: set[str]) -> None:
    """A test that cannot fail is a defect."""
    path = tmp_path / "messages.py"
    path.write_text(source)
    assert set(imports_of("chatroom.store.messages", path)) == expected
