"""The version stands in one place, `chatroom.__version__`, and wherever it is shown it is that one."""

import ast
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import chatroom
from chatroom import __version__
from tests.documents import ROOT, read
from tests.visitors import Visitor


def test_it_is_one() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert __version__ != "0.0.0"


def test_the_package_reads_the_version_from_its_file() -> None:
    """By `pyproject.toml`; setuptools takes it out of the text, without an import of the package."""
    project = tomllib.loads(read("pyproject.toml"))
    assert "version" not in project["project"]
    assert "version" in project["project"]["dynamic"]
    module, _, name = project["tool"]["setuptools"]["dynamic"]["version"]["attr"].rpartition(".")
    assert getattr(import_module(module), name) == __version__
    assert literal(name) == __version__


def test_nothing_depends_on_installed_packages() -> None:
    """The room runs from its folder, where nothing of that name is installed."""
    code = [path.read_text(encoding="utf-8") for path in (ROOT / "chatroom").rglob("*.py")]
    assert not [text for text in code if "importlib.metadata" in text]


def test_the_administration_page_shows_it(alice: Visitor) -> None:
    assert f"Chatroom {__version__} ·" in alice.get("/admin").text


def test_the_openapi_document_names_it(client: Visitor) -> None:
    document = client.get("/api/openapi.json").json
    assert document is not None
    assert document["info"]["version"] == __version__


def test_another_version_is_shown_in_both(alice: Visitor, client: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("chatroom.web.moderation.admin", "chatroom.web.kit.reference"):
        monkeypatch.setattr(import_module(module), "__version__", "12.34.56")
    assert "Chatroom 12.34.56 ·" in alice.get("/admin").text
    assert client.get("/api/openapi.json").json["info"]["version"] == "12.34.56"


def test_the_change_log_names_it() -> None:
    assert re.search(rf"\b{re.escape(__version__)}\b", read("CHANGELOG.md"))


def literal(name: str) -> object:
    """What a name of the package is set to, as its text says."""
    tree = ast.parse(Path(chatroom.__file__).read_text(encoding="utf-8"))
    (value,) = [node.value for node in tree.body if isinstance(node, ast.Assign) and names(node) == [name]]
    return ast.literal_eval(value)


def names(node: ast.Assign) -> list[str]:
    return [target.id for target in node.targets if isinstance(target, ast.Name)]
