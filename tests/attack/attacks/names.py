"""Names that people choose, in places where the server keeps its own: slugs, titles, webhooks, accounts."""

import hashlib
import re

from tests.attack.attack import Ground, Outcome, attack
from tests.attack.person import Person

LOBBIES = ("L\u043ebby", "\u041bobby", "LOBBY", "Lobb\u0443", "\uff2cobby", "lobby ", "L0bby")


def direct_slugs(*people: Person) -> list[str]:
    """What the address of a direct conversation has been made of, and what else it might be."""
    ids = sorted(person.id for person in people)
    hashes = [hashlib.sha256(between.join(ids).encode()).hexdigest() for between in (",", "", "-", ":", " ")]
    return [f"dm-{hashes[0][32:52]}", *(f"dm-{each[:20]}" for each in hashes), f"direct-{hashes[0][:32]}"]


@attack("direct-takeover", "high", is_remote=True)
def direct_takeover(ground: Ground) -> Outcome:
    """A public room at the address that a direct conversation of two others will have"""
    opened, tries = [], 0
    for number in range(ground.choose(1, 5)):
        first, second, third = (ground.person(name) for name in ("fay", "sue", "tom"))
        ours = set()
        for wanted in direct_slugs(first, second):
            answer, slug = third.make_room(wanted.replace("-", " "))
            tries += 1
            if slug:
                ours.add(slug)
                third.submit(f"/rooms/{slug}/general", title=second.display_name, topic="")
        answer = first.submit("/people", q=second.username, person=second.id)
        landed = answer.headers.get("location", "").rpartition("/")[2]
        secret = f"for the second alone {number}"
        first.say(secret, room=landed)
        if landed in ours:
            opened.append("the first was led into the third's room")
        if any(secret in third.texts(room) for room in {*ours, landed}):
            opened.append("the third reads what the first wrote to the second")
        if landed and secret not in second.texts(landed):
            opened.append(f"the second does not get it: {answer.status_code} {landed}")
        if not landed:
            opened.append(f"there is no conversation: {answer.status_code}")
    return Outcome(tries, opened)


@attack("reserved-names", "medium", is_remote=True)
def reserved_names(ground: Ground) -> Outcome:
    """Rooms at addresses that are the server's own: of direct conversations, of pages"""
    person, opened = ground.person("namer"), []
    ending = "0123456789abcdef0123"
    words = ("dm-", "DM ", "dm_", "\uff24\uff2d-", "dm--", "d\u200bm-", "dm/", "(dm) ", "dm\u2010")
    for title in (word + ending for word in words):
        _, slug = person.make_room(title)
        if re.fullmatch(r"dm_.*|dm-[0-9a-f]{20}", slug):
            opened.append(f"{title!r} is at {slug}")
    return Outcome(len(words), opened)


@attack("look-alike-rooms", "low", is_remote=True)
def look_alike_rooms(ground: Ground) -> Outcome:
    """Rooms that look like the lobby"""
    person, opened = ground.person("forger"), []
    for title in LOBBIES:
        _, slug = person.make_room(title)
        if slug:
            opened.append(f"{title!r} is a room, at {slug}")
    return Outcome(len(LOBBIES), opened)


@attack("webhook-names", "low", is_remote=True)
def webhook_names(ground: Ground) -> Outcome:
    """A webhook under a member's name, where it is quoted and found by searching"""
    person, victim = ground.person("hooker"), ground.person("victim")
    _, slug = person.make_room("Hooks")
    opened = []
    page = person.submit(f"/chatroom/{slug}/webhooks", kind="incoming", name=victim.display_name, url="", trigger="")
    found = re.search(r"/hooks/[\w-]{20,}", page.text)
    if not found:
        return Outcome(1, [], f"refused, {page.status_code}")
    posted = person.browser.post(found[0], json={"text": "unmistakable words"})
    person.say("look", room=slug, reply_to=int(posted.headers["X-Message-Sequence"]))
    quote = re.search(r'class="quote[^>]*>.*?</(?:a|blockquote|div)>', person.get(f"/chatroom/{slug}").text, re.DOTALL)
    if quote and victim.display_name in quote[0] and not re.search(r"bot", quote[0], re.IGNORECASE):
        opened.append("in a quote it has no mark")
    hits = person.get("/search", params={"q": "unmistakable"}).text
    result = re.search(r"<(li|article)[^>]*>(?:(?!</\1>).)*unmistakable.*?</\1>", hits, re.DOTALL)
    if result and victim.display_name in result[0] and not re.search(r"\bbot\b|badge", result[0], re.IGNORECASE):
        opened.append("where it is found it has no mark")
    return Outcome(2, opened)
