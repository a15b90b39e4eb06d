"""What the start says and allows, without a server."""

import os
import re
import resource
import subprocess
import sys
from types import SimpleNamespace

import pytest

from chatroom.base.config import load_settings
from chatroom.people.first_account import first_code
from chatroom.serve import start
from chatroom.serve.start import _database, _of_the_first, allow_many_files


def test_in_memory_the_code_of_the_first_account_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app takes the secret from the same place as what is said of it."""
    monkeypatch.setenv("SECRET_KEY", "")  # so that what is set meanwhile does not stay
    monkeypatch.delenv("SECRET_KEY")
    environ = {"MONGO_URI": "mongomock://", "IP": "0.0.0.0"}
    settings = load_settings(environ)
    with _database(settings):
        known = load_settings(environ | {"SECRET_KEY": os.environ["SECRET_KEY"]}).secret_key
        assert first_code(known) in _of_the_first(settings)


@pytest.mark.parametrize(("most", "allowed"), [(65_536, 65_536), (61_440, 10_240), (1_000, None)])
def test_a_system_that_refuses_many_files_is_asked_for_fewer(
    monkeypatch: pytest.MonkeyPatch, most: int, allowed: int | None
) -> None:
    """As on macOS, where the hard limit is infinite."""
    done: list[int] = []

    def set_limit(_: int, limits: tuple[int, int]) -> None:
        if limits[0] > most:
            raise ValueError("current limit exceeds maximum limit")
        done.append(limits[0])

    unlimited = {"getrlimit": lambda _: (256, resource.RLIM_INFINITY), "setrlimit": set_limit}
    monkeypatch.setattr(start, "resource", SimpleNamespace(**vars(resource) | unlimited))
    allow_many_files()
    assert done == ([allowed] if allowed else [])


def test_windows_is_refused_with_one_sentence() -> None:
    code = "import runpy, sys; sys.platform = 'win32'; runpy.run_path('test_mongo.py', run_name='__main__')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(r"chatroom: Windows is not supported\. Run the server in WSL: \S+\n", ended.stderr)
