"""Each library has its place, and some things are done in one place alone.

The floors are in pyproject.toml: import-linter holds them.
"""

import ast
import functools
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.services import COLLECTIONS
from tests.documents import read

ROOT = Path(__file__).resolve().parents[3]

STORES_OF = "*_store"

# Which of our modules may import a library.
PLACES = {
    "flask": ["chatroom.web", "chatroom.app"],
    "flask_compress": ["chatroom.web"],
    "flask_login": ["chatroom.web", "chatroom.app"],
    "flask_wtf": ["chatroom.web", "chatroom.app"],
    "wtforms": ["chatroom.web"],
    "werkzeug": ["chatroom.web", "chatroom.app"],
    "jinja2": ["chatroom.web", "chatroom.app"],
    "markupsafe": ["chatroom.web", "chatroom.messages.markdown.plain"],
    "a2wsgi": ["chatroom.web.requests"],
    "flask_bcrypt": ["chatroom.people.passwords", "chatroom.app"],
    "bcrypt": ["chatroom.people.passwords"],
    "pymongo": [STORES_OF, "chatroom.mongo"],
    "bson": [STORES_OF, "chatroom.mongo"],
    "gridfs": [STORES_OF, "chatroom.mongo"],
    "mongomock": [STORES_OF, "chatroom.mongo"],
    "uvicorn": [
        "chatroom.live.sockets.incoming",
        "chatroom.live.sockets.websocket",
        "chatroom.asgi.http_protocol",
        "chatroom.serve.start",
        "chatroom.serve.server",
        "chatroom.serve.workers",
    ],
    "uvloop": ["chatroom.serve.start", "chatroom.serve.server", "chatroom.serve.workers"],
    "websockets": [
        "chatroom.live.sockets.frames",
        "chatroom.live.sockets.incoming",
        "chatroom.live.sockets.websocket",
    ],
    "asyncio": [
        "chatroom.live",
        "chatroom.asgi.fair_queue",
        "chatroom.asgi.http_protocol",
        "chatroom.asgi.incoming_request",
        "chatroom.asgi.stalled_reader",
        "chatroom.asgi.slow_requests",
        "chatroom.asgi.downloads",
        "chatroom.asgi.request_queue",
        "chatroom.asgi.uploads",
        "chatroom.serve.start",
        "chatroom.serve.server",
        "chatroom.serve.workers",
    ],
    "socketio": ["chatroom.live.sockets.socketio"],
    "engineio": ["chatroom.live.sockets.socketio", "chatroom.live.sockets.socketio_packets"],
    "markdown_it": ["chatroom.messages.markdown"],
    "PIL": [
        "chatroom.files.colours",
        "chatroom.files.large_jpegs",
        "chatroom.files.pictures",
        "chatroom.files.renderer",
        "chatroom.files.thumbnails",
    ],
    "pillow_heif": ["chatroom.files.renderer"],
    "pypdfium2": ["chatroom.files.renderer"],
    "puremagic": ["chatroom.files.filetypes"],
    "nh3": ["chatroom.messages.markdown.rendering"],
    "pywebpush": ["chatroom.outbound.push"],
    "py_vapid": ["chatroom.outbound.push"],
    "urllib3": ["chatroom.outbound.public_http"],
    "latex2mathml": ["chatroom.messages.markdown.mathml"],
    "mdit_py_plugins": ["chatroom.messages.markdown.formulas"],
    "pygments": ["chatroom.messages.markdown.highlighting"],
    "msgspec.json": [
        "chatroom.live",
        "chatroom.web",
        "chatroom.mongo.embedded",
        STORES_OF,
        "chatroom.export.backup",
    ],
}


def modules() -> Iterator[tuple[str, Path]]:
    yield "test_mongo", ROOT / "test_mongo.py"
    for path in sorted((ROOT / "chatroom").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def is_within(name: str, package: str) -> bool:
    if package == STORES_OF:
        return name.endswith("_store")
    return name == package or name.startswith(package + ".")


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


def is_ours(name: str) -> bool:
    return name == "test_mongo" or is_within(name, "chatroom")


def test_web_and_live_do_not_know_each_other() -> None:
    """They share the shape of a message, and who is at the other end of a connection."""
    shared = {"chatroom.web.kit.sockets": {"chatroom.live.sockets.visitor"}}
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
    models = [module for module in MODULES if is_within(module, "chatroom.base.models")]
    for module in (*models, "chatroom.base.errors"):
        others = [name for name in imports_of(module, MODULES[module]) if not is_within(name, "chatroom.base.models")]
        assert not [name for name in others if is_ours(name)], module


def test_no_test_is_imported() -> None:
    for module, path in MODULES.items():
        assert not [name for name in imports_of(module, path) if is_within(name, "tests")], module


def test_the_attacks_know_nothing_of_the_product() -> None:
    """They come from outside; only what puts holes back, and starts the server with them, knows it."""
    from_within = {ROOT / "tests/attack/launcher.py", *(ROOT / "tests/attack/mutations").glob("*.py")}
    clean = {"tests.attack", "tests.waiting"}
    for path in set((ROOT / "tests/attack").rglob("*.py")) - from_within:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name in _imports_of(module, path):
            assert not is_ours(name), module
            assert not is_within(name, "tests") or any(is_within(name, each) for each in clean), module
            assert not is_within(name, "tests.attack.mutations"), module


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import flask", {"flask"}),
        ("import a.b as c, d", {"a.b", "d"}),
        ("from chatroom.messages import messages_store", {"chatroom.messages.messages_store"}),
        ("from chatroom.base.errors import Refused", {"chatroom.base.errors"}),
        ("from . import log_store", {"chatroom.messages.log_store"}),
        ("from .log_store import LogStore", {"chatroom.messages.log_store"}),
        ("from ..base.errors import Refused", {"chatroom.base.errors"}),
        ("def f():\n    from pymongo import x", {"pymongo"}),
        ("if TYPE_CHECKING:\n    import bson", {"bson"}),
    ],
)
def test_every_way_to_import_is_seen(tmp_path: Path, source: str, expected: set[str]) -> None:
    """A test that cannot fail is a defect."""
    path = tmp_path / "messages.py"
    path.write_text(source)
    assert set(imports_of("chatroom.messages.messages_store", path)) == expected


# What these do about a key that is taken has been looked at, and has a test in tests/unit (D12).
WHO_CATCHES_DUPLICATES = {
    "chatroom.export.backup_store.write",  # replaces by id, and refuses what then is still in the way
    "chatroom.mongo.database.ensure_indexes",  # says which collection
    "chatroom.messages.messages_store.append",  # asks a majority which drafts are stored
    "chatroom.messages.messages_store.change",  # tries again
    "chatroom.messages.messages_store.change_several",  # tries again
    "chatroom.live.presence.presences_store._take",  # prolongs what is this process's own
    "chatroom.search.words_store.add",  # a word is its id, and nothing else
    "chatroom.search.search_store._replace",  # replaces what is of the same room, and older
    "chatroom.mongo.unique.doubles",
    "chatroom.mongo.unique.write_or_find",  # what all others use
}


def functions_that_name(words: set[str]) -> set[str]:
    found = set()
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
                if names & words:
                    found.add(f"{module}.{node.name}")
    return found


def test_modules_that_catch_a_duplicate_key_are_known() -> None:
    """D12: a new one goes through `chatroom.mongo.unique`, or is looked at and listed."""
    assert functions_that_name({"DuplicateKeyError", "BulkWriteError", "WriteError"}) == WHO_CATCHES_DUPLICATES


# Everywhere else in web/ a refusal passes through: `kit/pages.py` shows it on the page that has the form, and
# `kit/errors.py` on the error page or as JSON.
WHO_CATCHES_REFUSALS = {
    "chatroom.web.kit.errors._page_for_reader": "the page of an error needs no database",
    "chatroom.web.kit.pages._show_refusal": "the one way",
    "chatroom.web.kit.forms.obeys": "what a rule refuses stands beside its field",
    "chatroom.web.people.accounts._needs_first_code": "the page is shown while the database is away, too",
    "chatroom.web.messages.pages._has_its_files": "a form that is stored already is answered with its message",
    "chatroom.web.people.tokens._create": "says which of the rooms that were typed it is",
}


def outermost_functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        else:
            yield from outermost_functions(child)


def who_catches(words: set[str], package: str) -> set[str]:
    """The functions of a package that catch one of these errors; of nested ones, the outermost."""
    return {
        f"{module}.{function.name}"
        for module, path in MODULES.items()
        if is_within(module, package)
        for function in outermost_functions(ast.parse(path.read_text()))
        for handler in ast.walk(function)
        if isinstance(handler, ast.ExceptHandler) and handler.type is not None
        if words & {part.id for part in ast.walk(handler.type) if isinstance(part, ast.Name)}
    }


def test_refusals_are_shown_in_one_way() -> None:
    caught = who_catches({"Refused", "Unavailable", "ChatroomError", "Exception"}, "chatroom.web")
    assert {name for name in caught if not is_within(name, "chatroom.web.commands")} == set(WHO_CATCHES_REFUSALS)


def test_slugs_are_made_in_one_place() -> None:
    """U08: the type checker holds all others to it; the store reads what was made there."""
    assert functions_that_name({"Slug"}) == {
        "chatroom.names.rooms.make_slug",
        "chatroom.names.rooms.make_direct_slug",
    }


def test_a_name_is_not_shown_without_the_mark_of_a_bot() -> None:
    """U10: templates and scripts show `author.shown`, or a badge beside the name; pictures have initials alone."""
    with_badge = {"messages/_message.html"}
    of_accounts = {"messages/_held.html", "moderation/approval.html"}  # bots are never held
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = re.sub(r"avatar\([^()]*\)", "", path.read_text())
        if path.relative_to(ROOT / "templates").as_posix() not in with_badge | of_accounts:
            assert not re.search(r"author\.name", text), path.name
    for path in sorted((ROOT / "static").rglob("*.js")):
        assert not re.search(r"author\??\.name", path.read_text()), path.name


# Where a thread may wait for another one, and why that takes nothing from anybody: whatever else is scarce is waited
# for before there is a thread (chatroom/asgi/request_queue.py).
WAITS = {
    "chatroom.base.threads": "Places: a try, and no waiting; Workers: the work of this very request",
    "chatroom.files.child": "for ten seconds at most, and the lane of pictures lets few requests come here",
    "chatroom.live.bridge": "this very post, for ten seconds at most, and a share of the threads for each person",
    "chatroom.site.limits": "its own `wait`, which counts the seconds, and waits for none of them",
    "chatroom.services": "the first requests of a process, until the database is opened",
    "chatroom.mongo.preparation": "the same, until it is prepared",
    "chatroom.site.background": "a thread of its own",
    "chatroom.export.export": "a lock for the time of looking into a set",
    "chatroom.site.notices": "a lock for the time of looking into a dictionary",
    "chatroom.outbound.fair_turns": "a lock for the time of looking into a dictionary",
    "chatroom.site.limits_store": "a lock for the time of looking into a list",
}
WAITING = {"acquire", "result", "wait", "Lock", "RLock", "Semaphore", "BoundedSemaphore"}
WAITING |= {"Condition", "Barrier"}


def waits_in(path: Path) -> set[str]:
    """What a module calls to wait for another thread."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return {call.attr for call in calls if isinstance(call, ast.Attribute)} & WAITING


def test_no_request_waits_in_its_thread() -> None:
    """L16: what is asynchronous, starts the server, or has no requests is not looked at."""
    elsewhere = [
        "chatroom.live",
        "chatroom.mongo.embedded",
        "chatroom.serve.workers",
        "chatroom.serve.server",
        "chatroom.serve.start",
    ]
    elsewhere += [
        "chatroom.asgi.uploads",
        "chatroom.asgi.slow_requests",
        "chatroom.asgi.downloads",
        "chatroom.asgi.request_queue",
    ]
    served = {name for name in MODULES if not any(is_within(name, place) for place in elsewhere)}
    found = {name for name in {*served, "chatroom.live.bridge"} if waits_in(MODULES[name])}

    assert found == set(WAITS)


def test_every_wait_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "waits.py"
    path.write_text("import threading\nplaces = threading.Semaphore(2)\nplaces.acquire(timeout=20)\n")
    assert waits_in(path) == {"Semaphore", "acquire"}


# What takes a right away, in the stores. Each is done by an act (`chatroom.site.acts`), which is told and recorded.
CUTS = {"set_role", "set_mute", "set_ban", "make_former", "remove", "forgive", "start_clearing", "close_all", "decide"}
STORES = {"_user_store", "_state_store", "_states", "_membership_store", "_store", "users", "states", "members"}
NOTED = {"note"}
UNNOTED = {
    ("chatroom.moderation.approval", "decide"): "somebody takes their own message back",
    ("chatroom.rooms.access", "forgive"): "an administrator of the site comes back to a public room",
    ("chatroom.rooms.making", "remove"): "a room that was just created, and unknown to others, gives its name up",
    ("chatroom.erasure.departed", "set_role"): "belongs to the deletion of the account that managed the room",
    ("chatroom.erasure.account_deletion", "make_former"): "the note was made with the role that was taken first",
    ("chatroom.people.avatars", "remove"): "one's own picture",
    ("chatroom.outbound.push", "remove"): "one's own browser",
    ("chatroom.files.message_files", "remove"): "a file that no message has",
}
"""Those that are nobody's act upon somebody else, and why."""


def cuts_of(source: str) -> set[str]:
    """The calls of a store that take a right away, and hand no note of it over."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {
        call.func.attr
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in CUTS
        and name_of(call.func.value) in STORES
        and not NOTED & {name_of(each) for each in [*call.args, *(more.value for more in call.keywords)]}
    }


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def test_no_right_is_taken_away_but_by_an_act() -> None:
    """M14."""
    found = {
        (module, cut)
        for module, path in MODULES.items()
        if not is_within(module, STORES_OF)
        for cut in cuts_of(path.read_text())
    }
    assert found == set(UNNOTED)


KEPT_FROM_PAGES = ("RoomStore", "MembershipStore", "membership_store", "UserStore", "AccountStateStore")


def test_only_acts_write_the_audit_log() -> None:
    """M14: and pages, commands and the engine reach no store of people or members by themselves."""
    knowing = {module for module, path in MODULES.items() if "AuditStore" in path.read_text()}
    assert knowing == {"chatroom.site.acts", "chatroom.site.audit", "chatroom.site.wiring", "chatroom.site.audit_store"}
    assert "_store.add(" not in MODULES["chatroom.site.audit"].read_text()
    for module, path in MODULES.items():
        if is_within(module, "chatroom.web") or is_within(module, "chatroom.live"):
            for store in (*KEPT_FROM_PAGES, 'database["audit"]', 'database["memberships"]'):
                assert store not in path.read_text(), (module, store)


def test_every_collection_is_listed() -> None:
    """`chatroom.services.COLLECTIONS` is what the indexes, the backups and the documentation of the data come from."""
    used = {name for path in MODULES.values() for name in collections_of(path.read_text())}
    assert used == {each.name for each in COLLECTIONS}


def test_every_collection_of_a_package_is_in_the_list() -> None:
    for module in MODULES:
        if module.endswith(".wiring"):
            listed = getattr(importlib.import_module(module), "COLLECTIONS", ())
            assert all(each in COLLECTIONS for each in listed), module


def collections_of(source: str) -> set[str]:
    """The collections that a module takes from a database."""
    return {
        node.slice.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Subscript)
        and name_of(node.value).endswith("database")
        and isinstance(node.slice, ast.Constant)
    }


def test_a_collection_that_is_used_is_seen() -> None:
    source = 'database["a"].find()\nself._database["b"]\ncontext.database["c"]\ndatabase[name]\nother["d"]'
    assert collections_of(source) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("self._membership_store.remove(user_id, room)", {"remove"}),
        ("services.people.states.set_ban(user.id, end, reason)", {"set_ban"}),
        ("self._states.set_mute(user.id, end, reason, note)", set()),
        ("self._states.make_former(user.id, is_erased=True, note=note)", set()),
        ("names.remove(name)", set()),
    ],
)
def test_a_cut_without_a_note_is_seen(source: str, expected: set[str]) -> None:
    """A test that cannot fail is a defect."""
    assert cuts_of(source) == expected


# What is assigned to an attribute of another object, outside of the pages: state, and what a library wants so.
ASSIGNED = {
    "account.person": "who turned out to send a request, for the budget of bytes",
    "account_of(scope).person": "the same",
    "self.account.person": "the same",
    "record.binary": "what the embedded mongod's folder remembers",
    "record.compatibility": "the same",
    "record.configured": "the same",
    "record.socket": "the same",
    "waiter.cursor": "how far a reader has come, at each message that is sent to it",
    "app.wsgi_app": "Flask's own way to put something around it",
    "app.secret_key": "for Flask, once the services are open",
    "cycle.disconnected": "uvicorn's",
    "self.conn.available_extensions": "of the library websockets",
    "Payload.max_decode_packets": "python-engineio's",
    "pool.ConnectionCls": "urllib3's",
    "AvifImagePlugin.DEFAULT_MAX_THREADS": "Pillow's",
    "pillow_heif.options.DECODE_THREADS": "pillow-heif's",
    "token.content": "markdown-it's",
    "token.tag": "markdown-it's",
    "state.pos": "markdown-it's",
    "state.line": "markdown-it's",
    "element.text": "of an XML element",
    "link.url": "linkify-it's",
    "block.children": "markdown-it's",
    "line.kind": "a record of Python's logging",
    "root.handlers": "Python's logging",
    "sys.unraisablehook": "Python's",
}
OF_FLASK = {"app", "edit_form", "field", "form", "g", "manager", "request", "response", "session", "view", "self"}
"""What the pages assign to: Flask's objects, and the fields of forms."""


def assigned_in(source: str) -> set[str]:
    """The attributes of other objects that a module assigns to, as it is written there."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            for each in ast.walk(target):
                if (
                    isinstance(each, ast.Attribute)
                    and isinstance(each.ctx, ast.Store)
                    and not (isinstance(each.value, ast.Name) and each.value.id in {"self", "cls"})
                ):
                    found.add(ast.unparse(each))
    return found


def test_nothing_is_assigned_to_a_finished_object() -> None:
    """Who reads a constructor knows all that an object works with."""
    found = {
        target
        for module, path in MODULES.items()
        for target in assigned_in(path.read_text())
        if not (is_within(module, "chatroom.web") and re.split(r"[.\[]", target)[0] in OF_FLASK)
    }
    assert found == set(ASSIGNED)


def test_an_assignment_to_another_object_is_seen() -> None:
    source = "self.a = 1\nself.b.c = 2\nd.e: int = 3\nf[0].g += 1\nh, i.j = 1, 2\nk['l'] = i.m"
    assert assigned_in(source) == {"self.b.c", "d.e", "f[0].g", "i.j"}


def test_stores_are_made_where_a_package_is_wired_and_once() -> None:
    made = {
        module: re.findall(r"\b([A-Z]\w+Store)\(", re.sub(r"class .*", "", path.read_text()))
        for module, path in MODULES.items()
        if not is_within(module, STORES_OF)
    }
    assert [module for module, stores in made.items() if stores and not module.endswith(".wiring")] == []
    all_of_them = [store for stores in made.values() for store in stores if store != "CodeStore"]
    assert sorted(all_of_them) == sorted(set(all_of_them))


def shapes_of(source: str) -> set[tuple[str, int]]:
    """What is larger than it may be: modules of 300 lines, functions of 50, classes of 15 methods, 7 parameters."""
    too_large = {("lines", len(source.splitlines()))} if len(source.splitlines()) > 300 else set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            given = len(node.args.args) + len(node.args.kwonlyargs) - 1
            too_large |= {(node.name, lines)} if lines > 50 else set()
            too_large |= {(node.name, given)} if node.name == "__init__" and given > 7 else set()
        elif isinstance(node, ast.ClassDef):
            methods = sum(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) for each in node.body)
            too_large |= {(node.name, methods)} if methods > 15 else set()
    return too_large


def test_nothing_is_too_large() -> None:
    assert {module: found for module, path in MODULES.items() if (found := shapes_of(path.read_text()))} == {}


def test_modules_and_functions_are_as_short_as_the_docs_say() -> None:
    modules = [path.read_text() for path in (ROOT / "chatroom").rglob("*.py")]
    lines = [len(source.splitlines()) for source in modules]
    functions = [
        (node.end_lineno or 0) - node.lineno + 1
        for source in modules
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert "9 of 10 modules have at most 200" in read("CONTRIBUTING.md")
    assert sum(count > 200 for count in lines) <= len(lines) / 10
    assert "98 of 100 have at most 30" in read("CONTRIBUTING.md")
    assert sum(count > 30 for count in functions) <= len(functions) / 50
    assert "Half of the modules are shorter than 100 lines" in read("README.md")
    assert sum(count < 100 for count in lines) >= len(lines) / 2
    (said,) = re.findall(r"about ([\d,]+) lines of Python", read("README.md"))
    assert abs(sum(lines) - int(said.replace(",", ""))) <= sum(lines) * 0.05, sum(lines)


def test_too_large_values_are_found() -> None:
    methods = "\n".join(f"    def m{n}(self): ..." for n in range(16))
    parameters = ", ".join(f"p{n}" for n in range(8))
    source = (
        f"class A:\n{methods}\nclass B:\n    def __init__(self, {parameters}): ...\ndef f():\n" + "    x = 1\n" * 50
    )
    assert shapes_of(source) == {("A", 16), ("__init__", 8), ("f", 51)}
    assert shapes_of("x = 1\n" * 301) == {("lines", 301)}
