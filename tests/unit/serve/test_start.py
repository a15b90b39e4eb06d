"""What the start says, without a server."""

import os

import pytest

from chatroom.base.config import load_settings
from chatroom.people.first_account import first_code
from chatroom.serve.start import _database, _of_the_first


def test_in_memory_the_code_of_the_first_account_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app takes the secret from the same place as what is said of it."""
    monkeypatch.setenv("SECRET_KEY", "")  # so that what is set meanwhile does not stay
    monkeypatch.delenv("SECRET_KEY")
    environ = {"MONGO_URI": "mongomock://", "IP": "0.0.0.0"}
    settings = load_settings(environ)
    with _database(settings):
        known = load_settings(environ | {"SECRET_KEY": os.environ["SECRET_KEY"]}).secret_key
        assert first_code(known) in _of_the_first(settings)
