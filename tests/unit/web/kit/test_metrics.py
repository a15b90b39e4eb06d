"""`GET /metrics`: who may read it, and what it counts of requests."""

import pytest

from tests.conftest import MakeApp, services_of, visitor
from tests.metrics import counted

TOKEN = "a token of 16 bytes"


@pytest.mark.parametrize(
    ("settings", "headers", "address", "status"),
    [
        ({}, {"Authorization": "Bearer "}, "127.0.0.1", 404),
        ({"metrics_token": TOKEN}, {}, "127.0.0.1", 404),
        ({"metrics_token": TOKEN}, {"Authorization": f"Bearer {TOKEN}x"}, "127.0.0.1", 404),
        ({"metrics_token": TOKEN}, {"Authorization": f"Basic {TOKEN}"}, "127.0.0.1", 404),
        ({"metrics_token": TOKEN}, {"Authorization": "Bearer \xff"}, "127.0.0.1", 404),
        ({"metrics_token": TOKEN}, {"Authorization": f"Bearer {TOKEN}"}, "203.0.113.1", 200),
        ({"metrics_networks": "10.0.0.0/8, ::1"}, {}, "10.9.8.7", 200),
        ({"metrics_networks": "10.0.0.0/8, ::1"}, {}, "::1", 200),
        ({"metrics_networks": "10.0.0.0/8"}, {}, "203.0.113.1", 404),
        ({"metrics_networks": "10.0.0.0/8"}, {"X-Forwarded-For": "10.0.0.1"}, "203.0.113.1", 404),
        ({"metrics_networks": "10.0.0.0/8"}, {"X-Forwarded-For": "203.0.113.1"}, "10.0.0.1", 404),
        ({"metrics_networks": "10.0.0.0/8", "trusted_proxies": 1}, {"X-Forwarded-For": "10.0.0.1"}, "127.0.0.1", 200),
        ({"metrics_networks": "127.0.0.1", "trusted_proxies": 1}, {"X-Forwarded-For": "8.8.8.8"}, "127.0.0.1", 404),
    ],
)
def test_o13_only_the_token_and_the_networks_may_read(
    make_app: MakeApp, settings: dict[str, str], headers: dict[str, str], address: str, status: int
) -> None:
    """O13."""
    client = visitor(make_app(allowed_hosts="chat.example", **settings))
    headers = {"Host": "10.9.8.7:5000", **headers}  # Prometheus sends the address of its target
    response = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert response.status_code == status
    assert ("chatroom_posts_total 0.0" in response.text) == (status == 200)


def test_requests_refusals_and_log_ins_are_counted(make_app: MakeApp) -> None:
    app = make_app(metrics_token=TOKEN)
    alice = visitor(app)
    alice.register("alice")
    stranger = visitor(app)
    stranger.log_in("alice", "wrong")
    stranger.log_in("alice")
    stranger.get("/nothing/here")
    stranger.get("/api/rooms/nowhere/messages")
    samples = counted(services_of(app).site.metrics)
    assert samples["chatroom_logins_total{outcome=failure}"] == 1
    assert samples["chatroom_logins_total{outcome=success}"] == 1
    assert samples["chatroom_refusals_total{reason=wrong_password}"] == 1
    assert samples["chatroom_refusals_total{reason=not_found}"] == 1
    assert samples["chatroom_http_requests_total{route=none,status=4xx}"] == 1
    assert samples["chatroom_http_requests_total{route=accounts.login,status=4xx}"] == 1
    assert samples["chatroom_http_request_seconds_count"] >= 5


def test_without_the_database_the_counts_are_still_there(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(metrics_token=TOKEN)
    monkeypatch.setattr(services_of(app).database, "is_answering", lambda seconds: False)
    text = visitor(app).get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    assert "chatroom_database_up 0.0" in text
    assert "chatroom_connections" in text
    assert "chatroom_users" not in text
