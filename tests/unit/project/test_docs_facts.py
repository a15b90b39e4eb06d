"""Facts of the docs that a reader depends on: each is compared with the code."""

import re
from typing import get_args

import click
from flask import Flask

from chatroom.people.tokens import SCOPES
from chatroom.serve import start, workers
from chatroom.site.audit import ActName
from chatroom.web.kit.security import PROBES
from tests.documents import first_cells, read, section, tables

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
