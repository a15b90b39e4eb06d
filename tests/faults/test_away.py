"""The room begins while its database is away: people hear of it in time, and the process lives. O05, F05."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from chatroom.app import create_app, open_app
from chatroom.base.config import Settings

STORE_SECONDS = 0.5
MOST_SECONDS = 15.0
"""A client of MongoDB waits for twice as long when it is not told otherwise."""
CROWD = 60
NOWHERE = "mongodb://127.0.0.1:9/?replicaSet=nowhere"


@pytest.fixture
def app() -> Iterator[Flask]:
    app = create_app(Settings(mongo_uri=NOWHERE, secret_key="k" * 32, store_timeout_seconds=STORE_SECONDS))
    yield app
    open_app(app).close()


def ask(app: Flask, path: str) -> tuple[int, float, str | None]:
    began = time.monotonic()
    answer = app.test_client().get(path)
    return answer.status_code, time.monotonic() - began, answer.headers.get("Retry-After")


def test_a_page_reports_a_database_outage_within_seconds(app: Flask) -> None:
    status, seconds, retry_after = ask(app, "/login")
    assert (status, retry_after) == (503, "5")
    assert seconds < MOST_SECONDS


def test_concurrent_page_requests_survive_a_database_outage(app: Flask) -> None:
    """One after the other, the last would be told after half a minute."""
    _, alone, _ = ask(app, "/login")
    with ThreadPoolExecutor(CROWD) as pool:
        asked = [pool.submit(ask, app, "/login") for _ in range(CROWD)]
        status, seconds, _ = ask(app, "/livez")
        assert status == 200
        answers = [each.result() for each in asked]
    assert {status for status, _, _ in answers} == {503}
    assert max(seconds, *(seconds for _, seconds, _ in answers)) < 5 * alone + 10
