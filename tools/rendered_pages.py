"""Render every page of the site as each kind of user sees it, for tools/check_pages.py.

The site runs on mongomock and contains everything that a page can show. A page of the application that is not rendered
here is an error, so that new pages are not forgotten.
"""

import io
import re
import wave
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from chatroom.app import create_app, open_app
from chatroom.base.config import Settings
from chatroom.services import Services
from tests.corpus.files import pdf
from tests.pictures import make_picture
from tests.visitors import PASSWORD, Visitor

HTML = "text/html"
OTHERS = {
    "accounts.logout",
    "export.own_data",
    "notifications.manifest",
    "notifications.service_worker",
    "static",
    "room_settings.settings",  # leads to a tab
}
"""GET routes that are not pages, in addition to the routes of the blueprints below (`OTHERS_OF`)."""
OTHERS_OF = {"avatars", "files", "health", "metrics"}
RICH = """Some *emphasis*, **strength**, `code`, ~~nothing~~ and https://example.org/?a=1&b=2 for @bob

1. a list
2. of two

> a quote

```python
print("<b>code</b> & more")
```
"""


class NotRendered(Exception):
    """A page has the wrong status, or was not rendered."""


class Album:
    """A folder of rendered pages. `names` maps each file to a description of its page."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self._rules = app.url_map.bind("localhost")
        self._endpoints = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
        self._folder = folder
        self._seen: set[str] = set()
        self.names: dict[str, str] = {}

    def keep(self, who: str, page: TestResponse, status: int = 200) -> str:
        """Store a page, which must have this status; return its text."""
        asked = page.request
        query = asked.query_string.decode()
        name = f"{asked.method} {asked.path}{'?' + query if query else ''} ({who}, {status})"
        if page.status_code != status or page.mimetype != HTML:
            raise NotRendered(f"{name} is {page.mimetype} with status {page.status_code}")
        self._note(asked.path, asked.method)
        file = f"{len(self.names):03}.html"
        text = page.text
        page.close()  # a static file would stay open
        (self._folder / file).write_text(text, "utf-8")
        self.names[file] = name
        return text

    def keep_all(self, who: str, person: Visitor, *paths: str, status: int = 200) -> None:
        """Store the pages that a user sees at these addresses."""
        for path in paths:
            self.keep(who, person.get(path), status)

    @property
    def missing(self) -> list[str]:
        """The pages of the application that were not rendered."""
        return sorted(filter(self._is_page, self._endpoints - self._seen))

    def _is_page(self, endpoint: str) -> bool:
        address = next(self._rules.map.iter_rules(endpoint)).rule
        is_other = endpoint in OTHERS or endpoint.partition(".")[0] in OTHERS_OF
        return not is_other and not address.startswith("/api/")

    def _note(self, path: str, method: str) -> None:
        if method != "GET":
            return
        try:
            endpoint, _ = self._rules.match(path, method)
        except HTTPException:
            return  # a page about the error
        self._seen.add(endpoint)


class Site:
    """A site with people, rooms and messages of every kind."""

    def __init__(self, app: Flask, services: Services) -> None:
        app.test_client_class = Visitor
        self._app = app
        self._services = services
        self.nobody = self._visitor()
        # The first account is the administrator.
        self.alice, self.bob, self.carol, self.dave = map(self._register, ("alice", "bob", "carol", "dave"))
        self._talk()
        self._make_rooms()
        self._moderate()
        self.erin = self._hold()

    def id_of(self, username: str) -> str:
        user = self._services.people.users.find_by_username(username)
        if user is None:
            raise NotRendered(f"{username} is not there")
        return str(user.id)

    @property
    def sequences(self) -> list[int]:
        """The sequences of the lobby's messages."""
        return [message["sequence"] for message in self.bob.get("/api/rooms/lobby/messages").json["messages"]]  # type: ignore[index]

    @property
    def waiting(self) -> list[str]:
        """The ids of the messages that wait for approval."""
        return re.findall(r'action="/approval/(\w+)"', self.alice.get("/approval").text)[::2]

    @property
    def reported(self) -> str:
        """The path of a report."""
        return re.findall(r'action="(/reports/[\w:]+)"', self.alice.get("/reports").text)[0]

    def _visitor(self) -> Visitor:
        client = self._app.test_client()
        assert isinstance(client, Visitor)  # noqa: S101  (for mypy)
        return client

    def _register(self, username: str) -> Visitor:
        person = self._visitor()
        _done(person.register(username), 303)
        return person

    def _talk(self) -> None:
        """Post messages of every kind in the lobby; the first have the sequences 1, 2 and so on."""
        _done(self.alice.say(RICH), 303)
        _done(self.bob.say("An answer", reply_to="1"), 303)
        _done(self.bob.say("Something to report"), 303)
        _done(self.bob.say("Something to delete"), 303)
        _done(self.bob.say("Something to edit"), 303)
        self._send_files(self.carol)
        first = "/chatroom/lobby/1"
        _done(self.alice.submit(first, to=f"{first}/pin", on="true"), 303)
        _done(self.alice.submit(first, to=f"{first}/react", emoji="👍"), 303)
        _done(self.bob.submit(first, to=f"{first}/react", emoji="👍"), 303)
        _done(self.bob.submit("/chatroom/lobby/4", to="/chatroom/lobby/4/delete"), 303)
        _done(self.bob.submit("/chatroom/lobby/5", to="/chatroom/lobby/5/edit", text="Something edited"), 303)
        _done(self.bob.say("An answer to what is gone", reply_to="4"), 303)

    def _send_files(self, person: Visitor) -> None:
        files = {
            "kitten.jpg": make_picture(),
            "purr.wav": _silence(),
            "kitten.mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41",
            "pedigree.pdf": pdf(pages=2),
            "kitten <1> & “2”.txt": b"some words",
        }
        ids = []
        for name, content in files.items():
            sent = person.post(
                "/api/rooms/lobby/files", query_string={"name": name}, data=content, headers=person.csrf()
            )
            ids.append(_done(sent, 201).json["id"])  # type: ignore[index]
        body = {"text": "Files", "files": ids, "client_id": "files"}
        _done(person.post("/api/rooms/lobby/messages", json=body, headers=person.csrf()), 201)

    def _make_rooms(self) -> None:
        alice = self.alice
        self.den, self.attic, self.hall = (
            _slug_of(alice.submit("/rooms/new", title=title, topic=f"About the {title}", kind=kind))
            for title, kind in (("Den", "private"), ("Attic", "public"), ("Hall", "public"))
        )
        den, attic = f"/rooms/{self.den}", f"/rooms/{self.attic}"
        _done(alice.submit("/rooms", to=f"{den}/members", username="bob"), 303)
        _done(alice.submit("/rooms", to=f"{attic}/archive", archived="yes", reason="Dust"), 303)
        hall = {"is_read_only": "y", "slow_seconds": "10", "retention_days": "30"}
        _done(alice.submit(f"/rooms/{self.hall}/rules", **hall), 303)
        for slug in (self.attic, self.hall):
            _done(self.bob.submit("/rooms", to=f"/rooms/{slug}/join"), 303)
        self.direct = str(alice.submit("/people", person=self.id_of("bob")).location)
        _done(self.bob.say("Hello there", path=self.direct), 303)

    def _moderate(self) -> None:
        _done(self.carol.submit("/chatroom/lobby/3/report", reason="It is <rude>."), 303)
        for name, act in (("dave", "ban"), ("carol", "mute")):
            path = f"/people/{self.id_of(name)}"
            _done(self.alice.submit(path, to=f"{path}/{act}", reason="Loud & rude", duration="1d"), 303)
        profile = {"display_name": "Alice", "about": "About <me>", "time_zone": "Europe/Berlin"}
        _done(self.alice.submit("/account/profile", **profile), 303)
        status = {"emoji": "🌴", "text": "On <holiday>", "ends": "today", "day": ""}
        _done(self.alice.submit("/account/status", **status), 303)
        quiet = {"undisturbed": "1h", "last_day": ""}
        _done(self.alice.submit("/account/status", to="/account/undisturbed", **quiet), 303)

    def _hold(self) -> Visitor:
        """Add a newcomer with a held and a rejected message."""
        _done(self.alice.submit("/admin/joining", to="/admin/holding", first="3"), 303)
        erin = self._register("erin")
        _done(erin.say("Rejected"), 303)
        [held] = self.waiting
        _done(self.alice.submit("/approval", to=f"/approval/{held}", act="reject", reason="No & no"), 303)
        _done(erin.say("Waiting", reply_to="1"), 303)
        # The other users count as newcomers too: holding would refuse them for another reason than the one to show.
        _done(self.alice.submit("/admin/joining", to="/admin/holding", first="0"), 303)
        return erin


def render(folder: Path) -> dict[str, str]:
    """Write every page into a folder, and return a description of each file."""
    limits = dict.fromkeys(("post_limit_account", "post_limit_address", "login_limit_account"), "0")
    settings: dict[str, Any] = {
        "mongo_uri": "mongomock://",
        "secret_key": "not a secret, for no server",
        "data_dir": str(folder / "data"),
        "bcrypt_rounds": 4,
        "webhook_allowed_hosts": "127.0.0.1",
        **limits,
    }
    app = create_app(Settings(**settings))
    services = open_app(app)
    try:
        services.prepare()
        album = Album(app, folder)
        site = Site(app, services)
        _show_shown_once(album, site)
        _show_to_nobody(album, site)
        _show_to_members(album, site)
        _show_to_administrators(album, site)
        _show_refusals(album, site)
    finally:
        services.close()
    if album.missing:
        raise NotRendered(f"no page of {', '.join(album.missing)} is rendered by tools/rendered_pages.py")
    return album.names


def _show_shown_once(album: Album, site: Site) -> None:
    """Pages that show a secret once."""
    alice, bob = site.alice, site.bob
    hooks = "/chatroom/lobby/webhooks"
    outgoing = {"kind": "outgoing", "name": "Logs", "url": "http://127.0.0.1/", "trigger": "!log"}
    made = album.keep("alice", alice.submit(hooks, kind="incoming", name="CI"), 201)
    album.keep("alice", alice.submit(hooks, **outgoing), 201)
    _done(site.nobody.post(re.findall(r"(/hooks/[\w-]+)", made)[0], json={"text": "said by a *bot*"}), 200)
    token = {"label": "A program", "scopes": "read", "rooms": "lobby", "days": "30", "password": PASSWORD}
    album.keep("bob", bob.submit("/account/tokens", **token), 201)
    den = f"/rooms/{site.den}"
    link = album.keep("alice", alice.submit(f"{den}/invites", uses="5", hours="24"))
    invited = re.findall(r"(/join/[\w-]+)", link)[0]
    album.keep_all("erin", site.erin, invited)
    album.keep_all("nobody", site.nobody, invited, f"/register?next={invited}", f"/login?next={invited}")
    album.keep_all("alice", alice, f"{den}/invites", "/rooms/lobby/invites")
    album.keep("alice", alice.submit("/admin/joining", to="/admin/invites", uses="3", days="7"), 201)
    person = f"/people/{site.id_of('bob')}"
    reset = album.keep("alice", alice.submit(person, to=f"{person}/reset-link"), 201)
    album.keep_all("nobody", site.nobody, re.findall(r"(/reset/[\w-]+)", reset)[0])


def _show_to_nobody(album: Album, site: Site) -> None:
    album.keep_all("nobody", site.nobody, "/", "/register", "/login", "/login?next=/rooms", "/static/offline.html")
    album.keep_all("nobody", site.nobody, "/chatroom/lobby/messages", status=401)


def _show_to_members(album: Album, site: Site) -> None:
    rooms = [f"/chatroom/{slug}" for slug in ("lobby", site.den, site.attic, site.hall)]
    messages = [f"/chatroom/lobby/{sequence}" for sequence in site.sequences]
    people = [f"/people/{site.id_of(name)}" for name in ("alice", "bob", "carol")]
    own = ["/account", "/account/profile", "/account/tokens", "/account/notifications", "/account/status"]
    own += ["/account/delete", "/later"]
    others = [
        "/rooms",
        "/rooms/lobby/about",
        f"/rooms/{site.den}/about",
        f"/rooms/{site.den}/members",
        f"/rooms/{site.den}/arrange",
        "/people",
        "/people?q=al",
        "/people?q=zz",
    ]
    found = ["/search", "/search?q=answer", "/search?q=nothing+like+it"]
    more = ["/chatroom", "/chatroom/lobby/messages", "/chatroom/lobby?before=5", site.direct, "/api/docs"]
    album.keep_all("bob", site.bob, *rooms, *messages, *people, *own, *others, *found, *more)
    album.keep_all("carol", site.carol, "/chatroom/lobby", "/chatroom/lobby/3/report", "/chatroom/lobby/2/report")
    album.keep_all("erin", site.erin, "/chatroom/lobby", "/chatroom/lobby/messages", "/chatroom/lobby/1")


def _show_to_administrators(album: Album, site: Site) -> None:
    rooms = [
        f"/chatroom/{slug}{page}" for slug in ("lobby", site.den, site.attic) for page in ("", "/export", "/webhooks")
    ]
    settings = [
        f"/rooms/{slug}/{page}"
        for slug in ("lobby", site.den, site.attic, site.hall)
        for page in ("about", "members", "invites", "general", "rules", "record", "danger")
    ]
    people = [f"/people/{site.id_of(name)}" for name in ("alice", "bob", "carol", "dave", "erin")]
    in_room = f"/people/{site.id_of('carol')}?room=lobby"
    admin = ["/admin", "/admin/people", "/admin/people?q=b", "/admin/joining", "/admin/audit", "/admin/audit?about=bob"]
    admin_rooms = [
        "/admin/rooms",
        "/admin/rooms?q=d",
        "/admin/rooms/lobby",
        f"/admin/rooms/{site.den}",
        f"/admin/rooms/{site.attic}",
    ]
    order = [
        "/reports",
        "/approval",
        f"/chatroom/{site.den}/clear",
        "/rooms/new",
        f"/people/{site.id_of('bob')}/delete",
    ]
    export = "/chatroom/lobby/export?format=html"
    album.keep_all("alice", site.alice, *rooms, *settings, *people, in_room, *admin, *admin_rooms, *order, export)
    album.keep_all("alice", site.alice, "/account/delete", "/chatroom/lobby/1", "/chatroom/lobby/3")
    album.keep_all("alice", site.alice, "/chatroom/lobby/5/changes", "/chatroom/lobby/1/changes")


def _show_refusals(album: Album, site: Site) -> None:
    """Error pages, and forms with errors."""
    alice, bob, nobody = site.alice, site.bob, site.nobody
    album.keep_all("bob", bob, "/nowhere", "/admin", "/chatroom/nowhere", status=404)
    album.keep_all("bob", bob, "/chatroom/lobby/webhooks", "/chatroom/lobby/clear", "/rooms/lobby/invites", status=403)
    album.keep_all("carol", site.carol, "/invite")
    album.keep_all("bob", bob, "/logout", status=405)
    album.keep_all("bob", bob, "/search?q=before:never", "/chatroom/lobby?date=never", status=400)
    album.keep("bob", bob.post("/logout"), 400)
    album.keep("nobody", nobody.submit("/register", username="!", display_name="", password=""), 400)
    album.keep("nobody", nobody.submit("/login", username="bob", password=PASSWORD.upper()), 401)
    album.keep("bob", bob.say(" "), 400)
    album.keep("bob", bob.submit("/account", to="/account/password", current_password="", password=""), 400)
    album.keep("bob", bob.submit("/account/profile", display_name="", time_zone="Nowhere"), 400)
    album.keep("bob", bob.submit("/account/tokens", label=""), 400)
    album.keep("bob", bob.submit("/account/delete", confirmation="no"), 400)
    album.keep("bob", bob.submit("/chatroom/lobby", text=RICH, preview="yes"))
    album.keep("bob", bob.submit("/chatroom/lobby/1/report", reason=""), 400)
    album.keep("bob", bob.submit("/chatroom/lobby/5", to="/chatroom/lobby/5/edit", text=""), 400)
    album.keep("bob", bob.submit("/chatroom/lobby/5", to="/chatroom/lobby/5/react", other="nothing"), 400)
    album.keep("bob", bob.submit("/people"), 400)
    album.keep("bob", bob.submit("/people", names="alice, zoe <>"), 404)
    album.keep("alice", alice.submit("/rooms/new", title="", kind="public"), 400)
    den = f"/rooms/{site.den}"
    album.keep("alice", alice.submit(f"{den}/general", title=""), 400)
    album.keep("alice", alice.submit(f"{den}/rules", slow_seconds="-1"), 400)
    album.keep("alice", alice.submit(f"{den}/danger", to=f"{den}/hand-over", username="zoe"), 404)
    album.keep("alice", alice.submit("/rooms", to=f"{den}/members", username="zoe"), 404)
    _show_questions(album, site, den)
    album.keep("alice", alice.submit("/chatroom/lobby/webhooks", kind="outgoing", name="", url="x"), 400)
    album.keep("alice", alice.submit(f"/chatroom/{site.den}/clear", title="no"), 400)
    album.keep("alice", alice.submit("/admin", to="/admin/name", name="x" * 61, about=""), 400)
    album.keep("alice", alice.submit("/admin/joining", to="/admin/invites", uses="0", days="0"), 400)
    album.keep("alice", alice.submit(f"/admin{den}", to=f"/admin{den}/archive", archived="yes"), 400)
    album.keep("alice", alice.submit("/reports", to=site.reported), 400)
    album.keep("alice", alice.submit("/approval", to=f"/approval/{site.waiting[0]}", act="reject"), 400)
    person = f"/people/{site.id_of('bob')}"
    album.keep("alice", alice.submit(person, to=f"{person}/mute", reason=""), 400)
    album.keep("alice", alice.submit(f"{person}/delete", confirmation="no"), 400)


def _show_questions(album: Album, site: Site, den: str) -> None:
    """Pages that ask before they do what was asked."""
    alice, bob = site.alice, site.id_of("bob")
    album.keep("alice", alice.submit(f"{den}/danger", to=f"{den}/hand-over", username="bob"), 409)
    album.keep("alice", alice.submit("/rooms", to=f"{den}/members/{bob}/remove"), 409)
    lower = {f"was-{bob}": "moderator", f"role-{bob}": "member"}
    album.keep("alice", alice.submit("/rooms", to=f"{den}/roles", **lower), 409)
    me = f"/people/{site.id_of('alice')}"
    album.keep("alice", alice.submit(me, to=f"{me}/role", role="member"), 409)
    archived = alice.submit(f"{den}/danger", to=f"{den}/archive", archived="yes")
    album.keep_all("alice", alice, str(archived.location))
    alice.submit(f"{den}/danger", to=f"{den}/archive", archived="no")


def _done(answer: TestResponse, status: int) -> TestResponse:
    if answer.status_code != status:
        raise NotRendered(
            f"{answer.request.method} {answer.request.path} has status {answer.status_code}: {answer.text[:300]}"
        )
    return answer


def _slug_of(made: TestResponse) -> str:
    return str(_done(made, 303).location).rpartition("/")[2]


def _silence() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(b"\x80" * 80)
    return out.getvalue()
