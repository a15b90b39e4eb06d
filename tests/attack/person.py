"""Somebody with a browser and with programs: fills in forms with their tokens, calls the API, holds websockets open."""

import html
import re
import secrets
from typing import Any, Self

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.attack.site import Site
from tests.waiting import PATIENCE_SECONDS

PASSWORD = "correct horse battery"
SCOPES = ("read", "post", "rooms", "moderate")
_field = re.compile(r"<input[^>]*>")
_attribute = re.compile(r'([\w-]+)="([^"]*)"')


class Person:
    """A browser with its cookies; `headers` are what every request of it carries."""

    def __init__(self, site: Site, username: str, display_name: str = "", headers: Any = None) -> None:
        self.site = site
        self.username = username
        self.display_name = display_name or username.title()
        self.browser = httpx.Client(base_url=site.url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False)
        site.leaving.append(self.browser.close)
        self._tokens: dict[tuple[str, ...], str] = {}
        self._id = ""

    def register(self, **more: str) -> Self:
        """Register the account, which logs the person in."""
        answer = self.submit(
            "/register",
            username=self.username,
            display_name=self.display_name,
            password=PASSWORD,
            password_again=PASSWORD,
            **more,
        )
        assert answer.status_code == 303, f"{answer.status_code} {_text(answer)}"
        return self

    def log_in(self, **more: Any) -> httpx.Response:
        """Log in by the form."""
        return self.submit("/login", username=self.username, password=PASSWORD, **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        """A page."""
        return self.browser.get(path, **more)

    def submit(self, path: str, *, to: str = "", files: Any = None, **typed: Any) -> httpx.Response:
        """Load a page, and send one of its forms with what is typed."""
        data = {"csrf_token": self.csrf(path), **typed}
        return self.browser.post(to or path, data=data, files=files)

    def csrf(self, path: str = "/login") -> str:
        """The token of a page's forms."""
        return hidden(self.get(path), "csrf_token") or hidden(self.get("/account"), "csrf_token")

    @property
    def cookie(self) -> str:
        """The cookies as a request carries them."""
        return "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items())

    @property
    def id(self) -> str:
        """Their id, as everybody in the lobby can see it."""
        if not self._id:
            found = self.call("GET", "/api/rooms/lobby/members", params={"q": self.username}).json()["members"]
            self._id = next(member["id"] for member in found if member["username"] == self.username)
        return self._id

    def token(self, *scopes: str) -> str:
        """An access token, made on their page; by default with every scope."""
        scopes = scopes or SCOPES
        if scopes not in self._tokens:
            page = self.submit("/account/tokens", label="program", scopes=list(scopes), days="30", password=PASSWORD)
            found = re.search(r"chatroom_[\w-]+", page.text)
            assert found, f"{page.status_code} {_text(page)}"
            self._tokens[scopes] = found[0]
        return self._tokens[scopes]

    def call(self, method: str, path: str, *, scopes: tuple[str, ...] = (), **more: Any) -> httpx.Response:
        """Call the API as a program of theirs."""
        headers = {"Authorization": f"Bearer {self.token(*scopes)}", **more.pop("headers", {})}
        return httpx.request(
            method, f"{self.site.url}{path}", headers=headers, timeout=PATIENCE_SECONDS, trust_env=False, **more
        )

    def say(self, text: str, room: str = "lobby", **more: Any) -> httpx.Response:
        """Post a message."""
        json = {"client_id": secrets.token_hex(8), "text": text, **more}
        return self.call("POST", f"/api/rooms/{room}/messages", json=json)

    def texts(self, room: str) -> list[str]:
        """What they can read of a room; nothing where it is closed to them."""
        answer = self.call("GET", f"/api/rooms/{room}/messages", params={"format": "text", "limit": 50})
        return [each.get("text", "") for each in answer.json()["messages"]] if answer.status_code == 200 else []

    def upload(self, name: str, content: bytes, room: str = "lobby") -> httpx.Response:
        """Keep a file for a message."""
        return self.call("POST", f"/api/rooms/{room}/files", params={"name": name}, content=content)

    def make_room(self, title: str, kind: str = "public") -> tuple[httpx.Response, str]:
        """Make a room by the form: the answer, and the slug where there is one."""
        answer = self.submit("/rooms/new", title=title, topic="", kind=kind)
        return answer, answer.headers.get("location", "").rpartition("/")[2] if answer.status_code == 303 else ""

    def join(self, slug: str) -> httpx.Response:
        """Come into a public room."""
        return self.submit("/account", to=f"/rooms/{slug}/join")

    def leave(self, slug: str) -> httpx.Response:
        """Go."""
        return self.submit("/account", to=f"/rooms/{slug}/leave")

    def remove(self, other: "Person", slug: str) -> httpx.Response:
        """Take somebody out of a room."""
        return self.submit("/account", to=f"/rooms/{slug}/members/{other.id}/remove", confirmed=other.id)

    def live(self, room: str = "lobby", *, scopes: tuple[str, ...] = ()) -> ClientConnection:
        """A websocket into a room."""
        headers = {"Authorization": f"Bearer {self.token(*scopes)}"}
        return connect(
            f"{self.site.websocket}/live?room={room}&format=text",
            additional_headers=headers,
            open_timeout=PATIENCE_SECONDS,
            close_timeout=1,
            proxy=None,
        )


def hidden(page: httpx.Response, name: str) -> str:
    """The value of a field of a page's forms."""
    for tag in _field.findall(page.text):
        attributes = dict(_attribute.findall(tag))
        if attributes.get("name") == name:
            return html.unescape(attributes.get("value", ""))
    return ""


def _text(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())[-600:]
