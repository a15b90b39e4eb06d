"""Facts of the docs that a reader depends on: each is compared with the code."""

import ast
import inspect
import json
import re
from typing import get_args

import click
import msgspec
import pytest
from flask import Flask

from chatroom.base.access import Access
from chatroom.base.config import Settings, load_settings
from chatroom.base.models import Membership, Person, Role, RoomValues
from chatroom.files.filetypes import PICTURE_ENDINGS, PICTURES
from chatroom.live.protocol import Follow, Post, Unfollow
from chatroom.live.sockets.socketio_connection import History
from chatroom.messages.rules import why_closed
from chatroom.mongo.embedded import mongod
from chatroom.mongo.embedded.versions import release_of
from chatroom.outbound import deliveries
from chatroom.outbound.formats.bodies import FORMATS
from chatroom.people.tokens import SCOPES
from chatroom.rooms.access import LOBBY
from chatroom.search import queries
from chatroom.serve import start, workers
from chatroom.services import Services
from chatroom.site.audit import ActName
from chatroom.web.export.export import Format
from chatroom.web.kit.security import PROBES
from tests.documents import ROOT, calls, first_cells, present_pages, read, section, tables, tree
from tests.visitors import Visitor

OF_BROWSERS = {"Z"}
"""The keys of the page that the browser itself acts on: undo."""
OF_ALL_ANSWERS = {
    *("Accept-Ranges", "Content-Length", "Content-Type", "Cross-Origin-Opener-Policy", "Date", "Last-Modified"),
    *("Permissions-Policy", "Referrer-Policy", "Server", "Vary", "X-Frame-Options"),
}
SHOWN_KEYS = {"Mod+": "Ctrl+", "ArrowUp": "↑", "ArrowDown": "↓", "Escape": "Esc"}


def test_each_route_of_the_api_has_its_methods(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if str(rule).startswith("/api")]
    made = {(method, str(rule)) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert made == set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/api[^`]*)`", read("docs/protocol.md")))


def test_each_scope_is_in_the_table() -> None:
    scopes = tables(read("docs/programs.md"))[0]
    assert {row[0].strip("`") for row in scopes} == set(SCOPES)


def test_each_health_check_is_in_the_table() -> None:
    paths = first_cells(tables(section("docs/monitoring.md", "Health checks"))[0])
    assert paths == {f"GET {path}" for path in PROBES - {"/metrics"}}


def test_the_statuses_of_health_checks_are_those_of_a_database_that_is_away(
    app: Flask, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.database, "is_answering", lambda _: False)
    for path, _, otherwise in tables(section("docs/monitoring.md", "Health checks"))[0]:
        status = app.test_client().get(path.strip("`").removeprefix("GET ")).status_code
        assert otherwise.startswith(str(status)) or (status == 200 and otherwise.startswith("no answer"))


def test_the_version_of_the_bundled_mongod_is_named() -> None:
    for binary in mongod._bundled():
        version = ".".join(map(str, release_of(binary)))
        assert f"The bundled mongod has the version {version}," in read("docs/systems.md")
        assert f"mongod {version} is one of the packages" in read("docs/systems.md")


def test_the_exit_codes_are_those_of_the_code() -> None:
    fails = section("docs/operating.md", "When the start fails")
    assert f"Exit code {start._BAD_PORT} means that the server cannot use the port." in fails
    assert f"Exit code {workers.BAD_SETUP} means a problem with a setting" in fails.replace("\n  ", " ")
    commands = section("docs/operating.md", "Commands")
    assert f"exits with status {click.ClickException.exit_code}." in commands
    assert f"A usage error exits with status {click.UsageError.exit_code}." in commands


def test_each_act_of_the_audit_log_is_in_the_table() -> None:
    rows = tables(section("docs/moderation.md", "The audit log"))[0]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(named) == sorted(get_args(ActName))


def test_each_key_of_the_list_is_on_its_page() -> None:
    code = read("static/views/kit/shortcuts.js")
    keys = re.findall(r'\["((?:Mod\+|Shift\+)?\w+(?: \w+)?)", "', code) + re.findall(r'key: "(.)"', code)
    assert len(keys) > 10
    documented = " ".join(row[1] for row in tables(read("docs/keyboard.md"))[0])
    for key in keys:
        shown = key.split("+")
        text = "+".join([*shown[:-1], shown[-1].upper() if len(shown[-1]) == 1 else shown[-1]])
        for name, sign in SHOWN_KEYS.items():
            text = text.replace(name, sign)
        assert text in documented, key


def test_each_letter_that_acts_on_a_message_is_on_the_page_of_keys() -> None:
    code = "".join(path.read_text() for path in (ROOT / "static/views").rglob("*.js"))
    documented = " ".join(row[1] for row in tables(read("docs/keyboard.md"))[0])
    assert set(re.findall(r"`([A-Z])`", documented)) == {key.upper() for key in re.findall(r'key: "([a-z])"', code)}
    combined = {key.upper() for key in re.findall(r'"Mod\+([a-z])"', code)}
    assert set(re.findall(r"Ctrl\+([A-Z])\b", documented)) == combined | OF_BROWSERS


def test_each_event_of_socket_io_is_in_a_table() -> None:
    emitted, received = tables(section("docs/programs.md", "Socket.IO"))
    code = (ROOT / "chatroom/live/sockets/socketio_connection.py").read_text()
    assert first_cells(emitted) == set(re.findall(r'^ +"(\w+)": self\._\w+,$', code, re.MULTILINE))
    made = [*calls("chatroom/live/sockets", "_emit"), *calls("chatroom/live/sockets", "emit")]
    names = {name for call in made for name in texts(call.args[0])}
    frames = set(re.findall(r"^#### `(\w+)`$", read("docs/protocol.md"), re.MULTILINE))
    assert first_cells(received) == names - frames | {"other events"}


def test_each_field_of_an_event_of_socket_io_exists() -> None:
    fields = {row[0].strip("`"): braced(row[1]) for row in tables(section("docs/programs.md", "Socket.IO"))[0]}
    assert fields["history"] == set(History.__struct_fields__)
    kinds: dict[str, type[msgspec.Struct]] = {"new_message": Post, "join": Follow, "leave": Unfollow}
    for name, kind in kinds.items():
        required = {field.name for field in msgspec.structs.fields(kind) if field.required}
        assert required <= fields[name] <= set(kind.__struct_fields__), name


def test_an_outgoing_webhook_has_the_headers_and_fields_of_the_page() -> None:
    example, code = section("docs/programs.md", "Outgoing webhooks"), inspect.getsource(deliveries)
    assert re.findall(r"^(webhook-\w+):", example, re.MULTILINE) == re.findall(r'"(webhook-\w+)":', code)
    (body,) = re.findall(r'^\{"hook": .*\}$', example, re.MULTILINE)
    (made,) = re.findall(r"json\.dumps\((\{.*\})\)", code)
    assert json.loads(body).keys() == set(re.findall(r'"(\w+)":', made))


def test_each_field_of_a_webhooks_body_is_in_the_table() -> None:
    rows = tables(section("docs/programs.md", "Incoming webhooks"))[0]
    fields = {name for body, text in rows for name in words(text) if body not in {"a form", "plain text"}}
    assert fields == set(FORMATS)
    assert [body for body, _ in rows] == [
        "Slack, Mattermost",
        "Discord",
        "Alertmanager, Grafana",
        "other JSON",
        "a form",
        "plain text",
    ]


def test_each_operator_of_the_search_is_in_the_table() -> None:
    cells = " ".join(row[0] for row in tables(section("docs/search.md", "Search syntax"))[0])
    (operators,) = re.findall(r"\(((?:\w+\|)+\w+)\):", queries._part.pattern)
    assert set(re.findall(r"`(\w+):", cells)) == set(operators.split("|"))
    assert set(re.findall(r"`has:(\w+)`", cells)) == set(get_args(queries.Has))


def test_each_format_of_an_export_is_in_the_table() -> None:
    assert first_cells(tables(section("docs/exports.md", "Rooms"))[0]) == set(get_args(Format))


def test_each_type_of_a_picture_is_named() -> None:
    pictures, avatars = (
        re.search(pattern, read("docs/files.md")) for pattern in (r"prepare`\): (.*)\.", r"avatar`\): a (.*)\.")
    )
    assert pictures
    assert avatars
    assert types(pictures[1].split(". ")[0]) == {name.removeprefix("image/") for name in PICTURES}
    assert types(avatars[1].split(". ")[0]) == {name.removeprefix("image/") for name in PICTURE_ENDINGS} - {"heif"}


def test_each_header_of_a_download_is_in_the_table(alice: Visitor) -> None:
    sent = alice.post(
        "/api/rooms/lobby/files", query_string={"name": "a.txt"}, data=b"words", headers=alice.csrf()
    ).get_json()
    headers = alice.get(f"/files/{sent['id']}/a.txt").headers
    rows = tables(section("docs/files.md", "Download"))[0]
    named = [text for row in rows for text in re.findall(r"`([^`]+)`", row[0])]
    assert {text.split(":")[0] for text in named} == set(headers.keys()) - OF_ALL_ANSWERS
    for text in named:
        name, _, value = text.partition(": ")
        assert headers[name].startswith(value.removesuffix("…").strip())


@pytest.mark.parametrize("role", get_args(Role))
def test_the_rights_of_a_role_in_a_room_are_those_of_the_code(role: Role) -> None:
    access = Access(
        room=LOBBY, membership=Membership(user_id="u", room_id=LOBBY.id, role=role), person=Person("u", "Ann")
    )
    announcements = msgspec.structs.replace(access, room=msgspec.structs.replace(LOBBY, is_read_only=True))
    rights = [
        True,
        not why_closed(announcements),
        access.may_moderate,
        access.outranks("moderator", "member"),
        access.may_manage,
    ]
    rows = tables(section("docs/rooms.md", "Who may do what"))[0]
    column = ["member", "moderator", "administrator"].index(role) + 1
    assert [row[column] == "yes" for row in rows] == rights


def test_each_role_is_explained() -> None:
    assert first_cells(tables(section("docs/moderation.md", "Roles"))[0]) == set(get_args(Role))


def test_each_value_of_a_label_and_each_level_of_the_log_is_named() -> None:
    text = " ".join(read("docs/monitoring.md").split())
    outcomes = {name for call in calls("chatroom/site", "logged_in") for name in texts(call)}
    for label, values in {"outcome": outcomes, "source": {"memory", "database"}}.items():
        assert set(re.findall(rf"`{label}` is `(\w+)` or `(\w+)`", text)[0]) == values
    (levels,) = [row[1] for row in tables(section("docs/monitoring.md", "Logs"))[0] if row[0] == "`level`"]
    assert words(levels) == set(get_args(Settings.__annotations__["log_level"]))


def test_each_detail_of_an_act_is_in_the_table() -> None:
    rows = tables(section("docs/moderation.md", "The audit log"))[0]
    assert {name for row in rows for name in words(row[1])} - {"yes", "kept", "erased"} == details_in_the_code()


def test_each_setting_with_a_value_is_accepted() -> None:
    text = "".join(read(page) for page in present_pages() if page.startswith("docs/"))
    for name, value in re.findall(r"`([A-Z]+(?:_[A-Z]+)*)=([^`$…]*)`", text):
        assert name.lower() in Settings.__struct_fields__, name
        load_settings({"SECRET_KEY": "x" * 40, name: value})


def test_the_readme_names_the_port_and_the_oldest_python() -> None:
    assert f"<http://127.0.0.1:{Settings().port}>" in read("README.md")
    (oldest,) = re.findall(r'requires-python = ">=([\d.]+)"', read("pyproject.toml"))
    assert f"Python {oldest} to " in read("README.md")
    assert f"Python {oldest} to " in read("docs/systems.md")


def test_the_page_of_containers_has_the_numbers_of_the_files() -> None:
    page, image, compose = " ".join(read("docs/containers.md").split()), read("Dockerfile"), read("compose.yaml")
    for sentence, pattern, text in [
        ("belong to the user {}.", r"^USER (\d+)", image),
        ("asks `/readyz` every {} s.", r"^HEALTHCHECK --interval=(\d+)s", image),
        ("and gets {} s.", r"stop_grace_period: (\d+)s", compose),
        ("The port {} is open only on 127.0.0.1", r"- 127\.0\.0\.1:(\d+):", compose),
    ]:
        assert sentence.format(*re.findall(pattern, text, re.MULTILINE)[:1]) in page


def details_in_the_code() -> set[str]:
    """The names of the details that any call gives to an act."""
    found = {*RoomValues.__struct_fields__}
    for path in (ROOT / "chatroom").rglob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.keyword) and node.arg == "details":
                found |= keys_of(node.value)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"details", "host", "(details, room)"}:
                found |= keys_of(node.value)
            if isinstance(node, ast.FunctionDef) and node.name == "_until":
                found |= keys_of(node)
    return found


def keys_of(value: ast.AST) -> set[str]:
    dicts = [node for node in ast.walk(value) if isinstance(node, ast.Dict)]
    return {str(key.value) for each in dicts for key in each.keys if isinstance(key, ast.Constant)}


def texts(node: ast.AST) -> set[str]:
    constants = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
    return {each for each in constants if isinstance(each, str)}


def types(listed: str) -> set[str]:
    return {name.lower() for name in re.split(r", | and | or ", listed)}


def braced(text: str) -> set[str]:
    (fields,) = re.findall(r"\{([^}]*)\}", text)
    return set(fields.split(", "))


def words(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))
