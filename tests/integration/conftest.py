"""Fixtures of several integration tests."""

import importlib.util
import os
from collections.abc import Iterator

import pytest

from tests.databases import standalone

if importlib.util.find_spec("apprise") is None and not os.environ.get("CI"):
    collect_ignore = ["test_programs.py"]  # it needs requirements-dev.txt


@pytest.fixture(scope="session")
def standalone_mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a mongod without a replica set, one for each process of the test run."""
    with standalone(tmp_path_factory.mktemp("standalone") / "data") as uri:
        yield uri
