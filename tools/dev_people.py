"""The initial content of `make dev`: three fictional people with conversations in two rooms."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chatroom.app import create_app, open_app
from chatroom.base.config import Settings
from chatroom.base.models import User
from chatroom.people.accounts import Registration
from chatroom.services import Services

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


class Scene:
    """The people of a site, who act through the API."""

    def __init__(self, mongo_uri: str, secret_key: str, people: Mapping[str, str]) -> None:
        """Create the accounts; `people` has the display name of each user name, and the first is the administrator."""
        without_limit = {"post_limit_account": "0", "post_limit_address": "0", "allowed_hosts": ""}
        app = create_app(Settings(mongo_uri=mongo_uri, secret_key=secret_key, **without_limit))
        self.services: Services = open_app(app)
        self._client = app.test_client()
        self._tokens: dict[str, str] = {}
        self.users: dict[str, User] = {}
        self.services.prepare()
        for username, name in people.items():
            wanted = Registration(username=username, display_name=name, password=PASSWORD)
            role = "member" if self.users else "administrator"
            user = self.services.people.accounts.create(wanted, role=role)
            self.users[username] = user
            token = self.services.people.sessions.create_token(
                user, label="make dev", scopes=["post", "rooms", "moderate"]
            )
            self._tokens[username] = token

    def send(self, username: str, path: str, **body: Any) -> Any:
        """Send a request to the API, and return the response."""
        headers = {"Authorization": f"Bearer {self._tokens[username]}"}
        answer = self._client.post(f"/api/rooms{path}", json=body, headers=headers)
        assert answer.status_code < 300, answer.text  # noqa: S101
        return answer.json

    def say(self, username: str, slug: str, text: str, **more: Any) -> Any:
        """Post a message, and return the response."""
        return self.send(username, f"/{slug}/messages", text=text, **more)


@contextmanager
def scene(mongo_uri: str, secret_key: str, people: Mapping[str, str]) -> Iterator[Scene]:
    """Create the accounts, and close the connections at the end."""
    made = Scene(mongo_uri, secret_key, people)
    try:
        yield made
    finally:
        made.services.close()


def settle_in(mongo_uri: str, secret_key: str) -> None:
    """Create the accounts, the second room, and the two conversations."""
    with scene(mongo_uri, secret_key, {name: name.title() for name in PEOPLE}) as site:
        garden = site.send("carol", "", title="Garden", topic="What grows, and what does not")["slug"]
        for name in ("alice", "bob"):
            site.send(name, f"/{garden}/join")
        for slug, conversation in (("lobby", LOBBY), (garden, GARDEN)):
            for name, text in conversation:
                site.say(name, slug, text)
