"""The tools that `make check` holds scripts, style sheets and pages to: pinned, and for development alone."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from flask import Flask

from tests.visitors import Visitor
from tools import check_pages
from tools.check_pages import LINT, ROOT, find_obstacle
from tools.rendered_pages import Album, NotRendered

PACKAGE = json.loads((LINT / "package.json").read_text())
LOCK = json.loads((LINT / "package-lock.json").read_text())


def nowhere(_: str) -> None:
    """A machine on which no program is found."""


def test_every_version_is_exact() -> None:
    assert {"eslint", "stylelint", "html-validate"} <= set(PACKAGE["devDependencies"])
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in PACKAGE["devDependencies"].values())


def test_all_of_it_is_for_development_alone() -> None:
    assert PACKAGE["private"]
    assert not {"dependencies", "optionalDependencies", "peerDependencies", "scripts"} & set(PACKAGE)
    installed = {path: package for path, package in LOCK["packages"].items() if path}
    assert all(package.get("dev") or package.get("devOptional") for package in installed.values())


def test_the_lock_is_of_these_versions_and_says_what_each_package_must_hold() -> None:
    own, *installed = LOCK["packages"].values()
    assert own["devDependencies"] == PACKAGE["devDependencies"]
    assert all(package["integrity"].startswith("sha512-") for package in installed)
    assert not any(package.get("hasInstallScript") for package in installed)


def test_a_heroku_style_host_recognizes_python() -> None:
    """Such a host looks for a package.json at the top before it looks for requirements.txt."""
    assert not (ROOT / "package.json").exists()
    assert (ROOT / "requirements.txt").exists()


@pytest.mark.parametrize(
    "name", ["package.json", "package-lock.json", "eslint.config.js", "node_modules/eslint/README.md"]
)
def test_nothing_of_it_is_served_or_packaged(client: Visitor, name: str) -> None:
    for address in (f"/{name}", f"/tools/lint/{name}", f"/static/tools/lint/{name}", f"/static/../tools/lint/{name}"):
        assert client.get(address).status_code == 404, address
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    assert packaged == ["chatroom*"]


def test_no_page_or_script_requests_it() -> None:
    for path in [*(ROOT / "static").rglob("*.js"), *(ROOT / "templates").rglob("*.html")]:
        assert "node_modules" not in path.read_text(), path
    assert [path for path in (ROOT / "chatroom").rglob("*.py") if "tools" in _imports(path)] == []


def _imports(path: Path) -> set[str]:
    return {
        name.partition(".")[0] for name in re.findall(r"^\s*(?:from|import) ([\w.]+)", path.read_text(), re.MULTILINE)
    }


@pytest.mark.parametrize(("in_ci", "code"), [("", 0), ("1", 1)])
def test_without_node_it_prints_the_reason_and_only_ci_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], in_ci: str, code: int
) -> None:
    monkeypatch.setenv("CI", in_ci)
    assert check_pages.main(find=nowhere) == code
    assert capsys.readouterr().out.startswith(
        "Scripts, style sheets and pages were not checked: node is missing (Debian: "
    )


def test_without_npm_it_prints_the_reason() -> None:
    assert find_obstacle(lambda name: "/usr/bin/node" if name == "node" else None).startswith("npm is missing")


def test_a_finding_is_reported_once_with_its_first_page(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"ruleId": "no-dup-id", "message": "Duplicate ID", "selector": "#a", "line": 3, "column": 7}
    files = [{"filePath": f"/tmp/{name}", "messages": [found]} for name in ("000.html", "001.html")]
    assert check_pages.report(files, {"000.html": "GET / (nobody, 200)", "001.html": "GET /login (nobody, 200)"}) == 1
    said = capsys.readouterr().out
    assert "GET / (nobody, 200) 3:7, and 1 more\n    Duplicate ID [no-dup-id]\n    #a\n" in said
    assert "1 findings on 2 rendered pages" in said


def test_an_unrendered_page_is_reported(app: Flask, client: Visitor, tmp_path: Path) -> None:
    album = Album(app, tmp_path)
    assert {"pages.index", "accounts.login", "admin_rooms.rooms"} <= set(album.missing)
    assert not {"static", "health.livez", "api.read_messages", "avatars.sheet"} & set(album.missing)
    album.keep_all("nobody", client, "/login")
    assert "accounts.login" not in album.missing
    assert (tmp_path / "000.html").read_text().startswith("<!doctype html>")
    with pytest.raises(NotRendered, match="GET /nowhere"):
        album.keep_all("nobody", client, "/nowhere")
