import os
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from chatroom.serve import server


def test_blocking_work_is_done_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with patch.dict(os.environ):  # which takes in what a .env says
        from test_mongo import app

    assert app.jinja_env.cache is not None
    app.jinja_env.cache.clear()
    done: list[object] = []
    garbage = SimpleNamespace(
        collect=lambda: done.append("collect"),
        freeze=lambda: done.append(("freeze", len(app.jinja_env.cache or ()))),
        set_threshold=lambda *numbers: done.append(numbers),
    )
    monkeypatch.setattr(server, "gc", garbage)

    server.settle()

    assert done == ["collect", ("freeze", len(app.jinja_env.list_templates())), server.GARBAGE]
