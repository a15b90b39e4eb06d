"""The initial content of `make dev`: three fictional people with conversations in two rooms."""

from typing import Any

from flask.testing import FlaskClient

from chatroom.app import create_app, open_app
from chatroom.base.config import Settings
from chatroom.people.accounts import Registration

PEOPLE = "alice", "bob", "carol"
PASSWORD = "a quiet evening"  # noqa: S105  (of made-up people)

LOBBY = [
    ("alice", "Good morning! The kettle is on."),
    ("bob", "Morning, **Alice**. Is there any of the *oolong* left?"),
    ("alice", "One tin, third shelf. @carol has the key."),
    ("carol", "On my way :tea:"),
]
GARDEN = [
    ("carol", "The beans are up: 14 of 20."),
    ("bob", "```python\ndef days_until_harvest(sown, today):\n    return 60 - (today - sown).days\n```"),
    ("alice", "So there is time to read https://en.wikipedia.org/wiki/Phaseolus_coccineus first."),
]


def settle_in(mongo_uri: str, secret_key: str) -> None:
    """Create the accounts, the second room, and the two conversations."""
    without_limit = {"post_limit_account": "0", "post_limit_address": "0", "allowed_hosts": ""}
    app = create_app(Settings(mongo_uri=mongo_uri, secret_key=secret_key, **without_limit))
    services = open_app(app)
    try:
        services.prepare()
        tokens = {}
        for name in PEOPLE:
            wanted = Registration(username=name, display_name=name.title(), password=PASSWORD)
            user = services.people.accounts.create(wanted, role="administrator" if name == PEOPLE[0] else "member")
            tokens[name] = services.people.sessions.create_token(user, label="make dev", scopes=["post", "rooms"])
        _talk(app.test_client(), tokens)
    finally:
        services.close()


def _talk(client: FlaskClient, tokens: dict[str, str]) -> None:
    def send(name: str, path: str, body: dict[str, Any]) -> Any:
        answer = client.post(path, json=body, headers={"Authorization": f"Bearer {tokens[name]}"})
        assert answer.status_code < 300, answer.text  # noqa: S101
        return answer.json

    garden = send("carol", "/api/rooms", {"title": "Garden", "topic": "What grows, and what does not"})["slug"]
    for name in ("alice", "bob"):
        send(name, f"/api/rooms/{garden}/join", {})
    for slug, conversation in (("lobby", LOBBY), (garden, GARDEN)):
        for number, (name, text) in enumerate(conversation):
            send(name, f"/api/rooms/{slug}/messages", {"text": text, "client_id": f"dev-{number}"})
