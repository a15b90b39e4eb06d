"""Who may do what: rooms that one is not in, tokens that may little, accounts that are gone."""

import re
import time
from contextlib import suppress

from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.attack.attack import Ground, Outcome, attack
from tests.attack.person import PASSWORD, Person
from tests.waiting import PATIENCE_SECONDS

ROOM_PATHS = [
    ("GET", "/chatroom/{slug}"), ("POST", "/chatroom/{slug}"), ("GET", "/chatroom/{slug}/1"),
    ("POST", "/chatroom/{slug}/1/delete"), ("POST", "/chatroom/{slug}/1/edit"), ("POST", "/chatroom/{slug}/1/pin"),
    ("POST", "/chatroom/{slug}/1/react"), ("GET", "/chatroom/{slug}/1/report"), ("GET", "/chatroom/{slug}/clear"),
    ("POST", "/chatroom/{slug}/clear"), ("GET", "/chatroom/{slug}/export"), ("GET", "/chatroom/{slug}/messages"),
    ("POST", "/chatroom/{slug}/notify"), ("GET", "/chatroom/{slug}/webhooks"), ("POST", "/chatroom/{slug}/webhooks"),
    ("POST", "/rooms/{slug}/archive"), ("POST", "/rooms/{slug}/invites"), ("POST", "/rooms/{slug}/join"),
    ("POST", "/rooms/{slug}/leave"), ("POST", "/rooms/{slug}/members"), ("GET", "/rooms/{slug}/record"),
    ("GET", "/rooms/{slug}/settings"), ("GET", "/rooms/{slug}/about"), ("GET", "/rooms/{slug}/invite"),
    ("POST", "/rooms/{slug}/general"), ("POST", "/rooms/{slug}/rules"), ("POST", "/rooms/{slug}/roles"),
    ("GET", "/rooms/{slug}/danger"), ("POST", "/rooms/{slug}/hand-over"), ("GET", "/admin/rooms/{slug}"),
    ("PATCH", "/api/rooms/{slug}"), ("POST", "/api/rooms/{slug}/files"), ("GET", "/api/rooms/{slug}/held"),
    ("POST", "/api/rooms/{slug}/join"), ("POST", "/api/rooms/{slug}/leave"), ("GET", "/api/rooms/{slug}/members"),
    ("GET", "/api/rooms/{slug}/messages"), ("POST", "/api/rooms/{slug}/messages"), ("GET", "/api/rooms/{slug}/pins"),
    ("POST", "/api/rooms/{slug}/read"), ("GET", "/search?q=a&in={slug}"), ("GET", "/api/search?q=a+in:{slug}"),
]  # fmt: skip


@attack("private-or-none", "held", is_remote=True)
def private_or_none(ground: Ground) -> Outcome:
    """Telling a private room from one that is not there, by any address"""
    owner, mallory, opened = ground.person("olga"), ground.person("mallory"), []
    _, slug = owner.make_room("Hidden", "private")
    none = slug[:-6] + "000000"
    csrf = mallory.csrf("/account")
    for method, path in ROOM_PATHS:
        seen = [shape(mallory, method, path.format(slug=name), name, csrf) for name in (slug, none)]
        if seen[0] != seen[1]:
            opened.append(
                f"{method} {path}: {seen[0][0]} and {seen[1][0]}, {len(seen[0][1])} and {len(seen[1][1])} bytes"
            )
    for name in (slug, none):
        with suppress(InvalidStatus), mallory.live(name):
            opened.append(f"the websocket is let into {name}")
    return Outcome(len(ROOM_PATHS) + 1, opened)


def shape(person: Person, method: str, path: str, slug: str, csrf: str) -> tuple[int, str]:
    """An answer, without what differs between any two."""
    if path.startswith("/api/"):
        answer = person.call(method, path, json={"client_id": "same", "text": "a", "sequence": 1, "title": "a"})
    elif method == "POST":
        answer = person.browser.post(path, data={"csrf_token": csrf, "text": "a"})
    else:
        answer = person.get(path)
    text = re.sub(
        r'(csrf[^>]{0,60}(?:value|content)=|client_id" value=|nonce=)"[^"]*"', "", answer.text.replace(slug, "SLUG")
    )
    return answer.status_code, re.sub(r"[\w.-]{60,}", "", text)


@attack("token-scopes", "held", is_remote=True)
def token_scopes(ground: Ground) -> Outcome:
    """What a token may not: each scope alone, at the operations of the others"""
    person, opened, tries = ground.person("scopes"), [], 0
    sequence = person.say("mine").json()
    message = f"/api/rooms/lobby/messages/{sequence['id']}"
    operations = {
        "read": [
            ("GET", "/api/rooms"),
            ("GET", "/api/rooms/lobby/messages"),
            ("GET", message),
            ("GET", "/api/search?q=a"),
        ],
        "post": [("POST", "/api/rooms/lobby/messages"), ("DELETE", message), ("POST", f"{message}/reactions")],
        "rooms": [("POST", "/api/rooms"), ("POST", "/api/rooms/lobby/leave"), ("POST", "/api/rooms/lobby/join")],
    }
    for scope in ("read", "post", "rooms", "moderate"):
        for other, calls in operations.items():
            for method, path in calls if other != scope else []:
                answer = person.call(
                    method, path, scopes=(scope,), json={"text": "a", "client_id": "a", "title": "A", "emoji": ":tada:"}
                )
                tries += 1
                if answer.status_code < 400:
                    opened.append(f"{scope}: {method} {path} is answered by {answer.status_code}")
    return Outcome(tries, opened)


@attack("reading-enters", "low", is_remote=True)
def reading_enters(ground: Ground) -> Outcome:
    """A token that may only read comes into public rooms"""
    owner, reader = ground.person("olga"), ground.person("reader")
    _, slug = owner.make_room(f"Open {reader.username}")
    answer = reader.call("GET", f"/api/rooms/{slug}/messages", scopes=("read",))
    with suppress(InvalidStatus), reader.live(slug, scopes=("read",)):
        pass
    rooms = reader.call("GET", "/api/rooms", scopes=("read",)).text
    return Outcome(
        2, [f"it is a member now (reading was answered by {answer.status_code})"] if f'"{slug}"' in rooms else []
    )


@attack("after-deletion", "held", is_remote=True)
def after_deletion(ground: Ground) -> Outcome:
    """A deleted account: its session, its token, its connection, its name, its password"""
    person, opened = ground.person("gone"), []
    token_of = person.token()
    assert token_of
    copy = Person(ground.site, person.username)
    copy.browser.cookies = person.browser.cookies
    with person.live() as made:
        answer = person.submit("/account/delete", password=PASSWORD, way="keep", confirmation=person.username)
        if answer.status_code != 303:
            return Outcome(1, [f"deleting is answered by {answer.status_code}"])
        closed_at = time.monotonic() + PATIENCE_SECONDS
        is_closed = False
        while not is_closed and time.monotonic() < closed_at:
            try:
                with suppress(TimeoutError):
                    made.recv(1)
            except ConnectionClosed:
                is_closed = True
    if not is_closed:
        opened.append("the connection stays open")
    if copy.get("/chatroom").status_code == 200:
        opened.append("a copy of the cookie is good")
    if person.call("GET", "/api/rooms").status_code < 400:
        opened.append("the token is good")
    if Person(ground.site, person.username).log_in().status_code == 303:
        opened.append("the password is good")
    with suppress(AssertionError):
        Person(ground.site, person.username).register()
        opened.append("the name can be taken")
    return Outcome(5, opened)
