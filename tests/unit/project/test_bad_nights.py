"""The page of bad nights: its sections are complete, its claims hold."""

import re

import pytest

from chatroom.web.kit.cookies import find_secret
from tests.conftest import MakeApp, signed_in
from tests.documents import ROOT, is_defined, read, section

PAGE = "docs/bad-nights.md"
TITLES = re.findall(r"^## (.*)$", read(PAGE), re.MULTILINE)
OLD, NEW = "an old secret of 2025", "a new secret of 2026"


@pytest.mark.parametrize("title", TITLES)
def test_a_section_has_five_parts_and_names_its_tests(title: str) -> None:
    text = section(PAGE, title)
    parts = re.findall(r"^- \*\*(You see|The server|Now|Afterwards|Tests)\*\*", text, re.MULTILINE)
    assert parts == ["You see", "The server", "Now", "Afterwards", "Tests"]
    tests = re.findall(r"`(tests/[\w/]+\.py):(\w+)`", text)
    assert tests
    assert [test for path, test in tests if not is_defined(ROOT / path, test)] == []


def test_a_new_secret_ends_log_ins_unless_the_old_one_is_a_fallback(make_app: MakeApp) -> None:
    old = signed_in(make_app(secret_key=OLD), "alice").get_cookie("session")
    assert old is not None
    cookie = f"session={old.value}"
    assert find_secret(make_app(secret_key=OLD), cookie, is_secure=False)
    assert not find_secret(make_app(secret_key=NEW), cookie, is_secure=False)
    assert find_secret(make_app(secret_key=NEW, secret_key_fallbacks=OLD), cookie, is_secure=False)


def test_a_site_with_a_new_name_refuses_the_old_one(make_app: MakeApp) -> None:
    client = make_app(allowed_hosts="new.example.org").test_client()
    assert client.get("/login", base_url="https://old.example.org").status_code == 400
    answer = client.get("/login", base_url="https://new.example.org")
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert not [cookie for cookie in answer.headers.getlist("Set-Cookie") if "domain=" in cookie.lower()]
