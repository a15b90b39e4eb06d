"""A test client that fills in forms like a browser, CSRF token included."""

import html
import re
import secrets
import uuid
from typing import Any

from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from chatroom.app import open_app
from chatroom.base.models import User
from chatroom.people.first_account import first_code
from chatroom.services import Services

PASSWORD = "correct horse battery"
NEW = "another good one"
LOBBY = "/api/rooms/lobby/messages"
OTHER_CREDENTIALS = ["Bearer nonsense", "Bearer ", "Bearer", "Bearer \x7f", "Basic YWxpY2U6eA==", "Token x"]
OTHER_CREDENTIALS += ['Digest username="alice"', "Unknown", "", "x" * 10_000]
"""Values of the header Authorization that contain no access token."""
_hidden = re.compile(r"<input[^>]*>")
_attribute = re.compile(r'(\w[\w-]*)="([^"]*)"')


class Visitor(FlaskClient):
    """A person with a browser. `submit` sends the hidden fields of the page's form and the typed values."""

    _token = ""
    """The CSRF token of the session. All other methods send it without loading a page for it, which takes longer."""

    def fields(self, path: str) -> dict[str, str]:
        """The hidden fields of the page's forms, by name."""
        return hidden_fields(self.get(path))

    def submit(self, path: str, *, to: str = "", headers: dict[str, str] | None = None, **typed: str) -> TestResponse:
        """Load the page, fill in its form, and send it."""
        hidden = self.fields(path)
        self._token = ""  # logging in and out changes it
        known = {name: hidden[name] for name in ("csrf_token", "client_id", "next") if name in hidden}
        return self.post(to or path, data={**known, **typed}, headers=headers)

    def register(self, username: str, display_name: str = "", password: str = PASSWORD, **more: Any) -> TestResponse:
        """Register and log in, with the code of the first account if it is needed."""
        if first_key := self.application.extensions["chatroom"].people.accounts.first_key:
            more.setdefault("invite", first_code(first_key))
        return self._send(
            "/register",
            username=username,
            display_name=display_name or username.title(),
            password=password,
            password_again=more.pop("password_again", password),
            **more,
        )

    def log_in(self, username: str, password: str = PASSWORD, **more: Any) -> TestResponse:
        """Log in."""
        return self._send("/login", username=username, password=password, **more)

    def log_out(self) -> TestResponse:
        """Log out."""
        return self._send("/logout")

    def _send(self, path: str, headers: dict[str, str] | None = None, **typed: str) -> TestResponse:
        """Begin or end a session. The answer has another CSRF token."""
        token, self._token = self.token(), ""
        return self.post(path, data={"csrf_token": token, **typed}, headers=headers)

    def say(self, text: str, path: str = "/chatroom", **more: str) -> TestResponse:
        """Post a message by the form."""
        return self.post(path, data={"csrf_token": self.token(), "client_id": str(uuid.uuid4()), "text": text, **more})

    def csrf(self) -> dict[str, str]:
        """The CSRF header of the page's scripts."""
        return {"X-CSRFToken": self.token()}

    def token(self) -> str:
        """The CSRF token of the visitor's forms, made as Flask-WTF makes it."""
        if not self._token:
            open_app(self.application)
            with self.session_transaction() as session:
                secret = session.setdefault("csrf_token", secrets.token_hex(20))
            signer = URLSafeTimedSerializer(str(self.application.secret_key), salt="wtf-csrf-token")
            self._token = str(signer.dumps(secret))
        return self._token

    @property
    def is_signed_in(self) -> bool:
        """Whether the visitor is logged in."""
        return self.get("/chatroom").status_code == 200


def hidden_fields(response: TestResponse) -> dict[str, str]:
    """The values of a page's hidden inputs."""
    found = {}
    for tag in _hidden.findall(response.text):
        attributes = dict(_attribute.findall(tag))
        if attributes.get("type") == "hidden" and "name" in attributes:
            found[attributes["name"]] = html.unescape(attributes.get("value", ""))
    return found


def problem(response: TestResponse) -> str:
    """The errors on the page, at its top and at its fields."""
    marks = r'notice--error"[^>]*>(.*?)</p>|field__error"[^>]*>(.*?)</p>|composer__problem"[^>]*>(.*?)</p>'
    found = re.findall(marks, response.text, re.DOTALL)
    return html.unescape(" ".join(text.strip() for groups in found for text in groups if text.strip()))


def user_of(services: Services, username: str = "alice") -> User:
    """The account of a visitor."""
    user = services.people.users.find_by_username(username)
    assert user
    return user


def texts(services: Services) -> list[str]:
    """The texts of the stored messages, in order."""
    return [document["text"] for document in services.database["messages"].find().sort("sequence")]


def bodies(page: str) -> list[str]:
    """The HTML of the messages on a page."""
    return re.findall(r'<div class="message__body"[^>]*>\s*<p>(.*?)</p>', page)


def post(person: Visitor, text: Any = "hello", path: str = LOBBY, **more: Any) -> Any:
    """Post a message over the API, by cookie."""
    return person.post(path, json={"text": text, **more}, headers=person.csrf())


def make_room(somebody: Visitor, title: str = "Den", kind: str = "private") -> str:
    """Make a room; return its slug."""
    made = somebody.submit("/rooms/new", title=title, topic="", kind=kind)
    assert made.status_code == 303
    return str(made.location.removeprefix("/chatroom/"))


def press(somebody: Visitor, path: str, **typed: str) -> int:
    """Press a button that is in its own form."""
    return somebody.post(path, data={"csrf_token": somebody.token(), **typed}).status_code
