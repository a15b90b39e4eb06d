"""Several writes with the notice last: who was removed, muted or demoted, and stays."""

import json
import time
from contextlib import suppress

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from tests.attack.attack import Ground, Outcome, attack
from tests.attack.database import Owner
from tests.attack.person import Person

CUT_SECONDS = 20.0


def ways_in(person: Person, slug: str, message: str = "0" * 24) -> list[str]:
    """By which addresses somebody still reads or writes in a room."""
    tried = {
        "GET messages": person.call("GET", f"/api/rooms/{slug}/messages"),
        "GET members": person.call("GET", f"/api/rooms/{slug}/members", params={"q": "a"}),
        "GET pins": person.call("GET", f"/api/rooms/{slug}/pins"),
        "POST message": person.say("I am still here", room=slug),
        "POST file": person.upload("a.txt", b"still", room=slug),
        "POST read": person.call("POST", f"/api/rooms/{slug}/read", json={"sequence": 1}),
        "POST reaction": person.call(
            "POST", f"/api/rooms/{slug}/messages/{message}/reactions", json={"emoji": ":tada:"}
        ),
        "page": person.get(f"/chatroom/{slug}"),
        "page of messages": person.get(f"/chatroom/{slug}/messages"),
        "one message": person.get(f"/chatroom/{slug}/1"),
        "about": person.get(f"/rooms/{slug}/about"),
        "export": person.get(f"/chatroom/{slug}/export"),
        "join": person.call("POST", f"/api/rooms/{slug}/join"),
        "join by the page": person.join(slug),
    }
    found = [f"{name}: {answer.status_code}" for name, answer in tried.items() if answer.status_code < 400]
    with suppress(InvalidStatus), person.live(slug):
        found.append("websocket: 101")
    return found


def is_cut(socket: ClientConnection, slug: str) -> bool:
    """Whether an open connection is told that the room is closed to it, and its posts are refused."""
    give_up_at = time.monotonic() + CUT_SECONDS
    try:
        while time.monotonic() < give_up_at:
            socket.send(json.dumps({"type": "post", "room": slug, "client_id": str(time.time_ns()), "text": "still"}))
            with suppress(TimeoutError):
                while True:
                    frame = json.loads(socket.recv(1))
                    if frame["type"] == "closed" or (frame["type"] == "refused" and frame["reason"] == "not_found"):
                        return True
    except ConnectionClosed:
        return True
    return False


@attack("removed-on-a-fault", "medium", is_alone=True)
def removed_on_a_fault(ground: Ground) -> Outcome:
    """Being removed, muted or demoted while the audit log cannot be written, and going on"""
    owner, removed, muted, demoted = (ground.person(name) for name in ("olga", "rita", "mike", "dora"))
    opened = []
    _, slug = owner.make_room("Faults")
    for person in (removed, muted, demoted):
        person.join(slug)
    owner.submit("/account", to=f"/rooms/{slug}/roles", **{f"role-{demoted.id}": "moderator"})
    with removed.live(slug) as socket:
        with Owner(ground.site).refusing("audit"):
            first = owner.remove(removed, slug)
            owner.submit("/account", to=f"/people/{muted.id}/mute", room=slug, reason="loud", duration="1h")
            owner.submit("/account", to=f"/rooms/{slug}/roles", **{f"role-{demoted.id}": "member"})
            if not is_cut(socket, slug):
                opened.append(
                    f"the connection of somebody removed goes on (the removal was answered by {first.status_code})"
                )
            opened += [f"removed, and {way}" for way in ways_in(removed, slug)]
            if muted.say("still loud", room=slug).status_code < 400:
                opened.append("muted, and posts")
            if (
                demoted.remove(muted, slug).status_code < 400
                and " was removed." in demoted.get(f"/rooms/{slug}/members").text
            ):
                opened.append("demoted, and removes somebody")
        again = owner.remove(removed, slug)
        if again.status_code >= 400 and first.status_code >= 400:
            opened.append(f"a second try does not complete it: {again.status_code}")
    record = owner.get(f"/rooms/{slug}/record").text
    if removed.username not in record and removed.display_name not in record:
        opened.append("the record does not have it")
    return Outcome(18, opened, f"the first try was answered by {first.status_code}, the second by {again.status_code}")


@attack("left-before-removal", "medium", is_remote=True)
def left_before_removal(ground: Ground) -> Outcome:
    """Leaving a public room before one is removed from it, and posting again"""
    owner, mallory = ground.person("olga"), ground.person("mallory")
    _, slug = owner.make_room(f"Leaving {mallory.username}")
    mallory.join(slug)
    mallory.say("something rude", room=slug)
    mallory.leave(slug)
    answer = owner.remove(mallory, slug)
    opened = []
    posted = mallory.say("here again", room=slug)
    if posted.status_code < 400:
        opened.append(
            f"removed (answered by {answer.status_code}), and a post lets them in again: {posted.status_code}"
        )
    opened += ways_in(mallory, slug)
    return Outcome(16, opened)


@attack("posting-joins", "medium", is_remote=True)
def posting_joins(ground: Ground) -> Outcome:
    """Coming into a room silently, by posting in it"""
    owner, mallory = ground.person("olga"), ground.person("mallory")
    _, slug = owner.make_room(f"Silent {mallory.username}")
    mallory.join(slug)
    mallory.leave(slug)
    tried = [mallory.say("here", room=slug), mallory.call("POST", f"/api/rooms/{slug}/read", json={"sequence": 1})]
    opened = [
        f"{answer.request.method} {answer.request.url.path}: {answer.status_code}"
        for answer in tried
        if answer.status_code < 400
    ]
    return Outcome(len(tried), opened)


@attack("administrator-removed", "medium")
def administrator_removed(ground: Ground) -> Outcome:
    """The owner of a public room removes, mutes or demotes the site's administrator"""
    owner, administrator, opened = ground.person("olga"), ground.administrator, []
    _, slug = owner.make_room(f"Mine {owner.username}")
    administrator.join(slug)
    owner.remove(administrator, slug)
    owner.submit("/account", to=f"/people/{administrator.id}/mute", room=slug, reason="loud", duration="1h")
    for name, answer in {
        "reach the room": administrator.get(f"/chatroom/{slug}"),
        "read it": administrator.call("GET", f"/api/rooms/{slug}/messages"),
        "post there": administrator.say("order, please", room=slug),
    }.items():
        if answer.status_code >= 400:
            opened.append(f"the administrator cannot {name}: {answer.status_code}")
    return Outcome(3, opened)


@attack("muted-after-leaving", "low", is_remote=True)
def muted_after_leaving(ground: Ground) -> Outcome:
    """Leaving before one is muted, and coming again"""
    owner, mallory = ground.person("olga"), ground.person("mallory")
    _, slug = owner.make_room(f"Muting {mallory.username}")
    mallory.join(slug)
    mallory.leave(slug)
    answer = owner.submit("/account", to=f"/people/{mallory.id}/mute", room=slug, reason="loud", duration="1h")
    mallory.join(slug)
    posted = mallory.say("loud", room=slug)
    said = f"the mute was answered by {answer.status_code}, the post by {posted.status_code}"
    return Outcome(1, [said] if answer.status_code < 400 and posted.status_code < 400 else [], said)


@attack("after-removal", "held", is_remote=True)
def after_removal(ground: Ground) -> Outcome:
    """Every address of a room after one was removed from it, a public and a private one"""
    owner, mallory, opened = ground.person("olga"), ground.person("mallory"), []
    for kind in ("public", "private"):
        _, slug = owner.make_room(f"{kind} {mallory.username}", kind)
        owner.submit("/account", to=f"/rooms/{slug}/members", username=mallory.username)
        mallory.join(slug)
        said = owner.say("hello", room=slug).json()
        with mallory.live(slug) as socket:
            owner.remove(mallory, slug)
            if not is_cut(socket, slug):
                opened.append(f"{kind}: the open connection goes on")
        opened += [f"{kind}: {way}" for way in ways_in(mallory, slug, said["id"])]
    return Outcome(32, opened)
