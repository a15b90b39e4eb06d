"""The rules of a room: who may not post, edit, react or pin now.

All entry points and pages use one ordered list of rules; the first rule that applies decides. The caller says who acts:
a person, or a webhook, which has its creator's rights.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, get_args

import msgspec

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.durations import FOREVER, until
from chatroom.base.errors import Refused
from chatroom.base.models import Membership, Person, Role, Room

Deed = Literal["post", "edit", "react", "pin"]
Actor = Literal["person", "webhook"]
ActorKind = Literal["member", "moderator", "webhook"]
"""The kinds of actors to whom a rule may apply. A person counts as a member or as a moderator."""

EVERYBODY: frozenset[ActorKind] = frozenset({"member", "moderator", "webhook"})
MEMBERS: frozenset[ActorKind] = frozenset({"member"})
PEOPLE: frozenset[ActorKind] = frozenset({"member", "moderator"})

TakeTurn = Callable[[str, Room, str, int], float]
"""Takes a user id, a room, a client id and the seconds between posts. Returns the seconds to wait, or 0."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. `applies` does not use the database.

    `ends_at` returns the time when the rule ends by itself. A rule without `ends_at` lasts until somebody ends it.
    If a rule without `ends_at` forbids posting, pages show its sentence in place of the composer.
    """

    reason: str
    deeds: frozenset[Deed]
    actors: frozenset[ActorKind]
    applies: Callable[[Access, datetime], bool]
    sentence: Callable[[Access], str]
    ends_at: Callable[[Access], datetime | None] | None = None

    def refusal(self, access: Access, now: datetime) -> Refused:
        """Make the refusal, with the seconds to wait if the rule ends by itself."""
        end = self.ends_at(access) if self.ends_at is not None else None
        wait = (end - now).total_seconds() if end is not None and end < FOREVER else None
        return Refused(self.reason, self.sentence(access), retry_after=wait)


ARCHIVED = Rule(
    reason="archived",
    deeds=frozenset({"post", "edit", "react", "pin"}),
    actors=EVERYBODY,
    applies=lambda access, _: access.room.archived_at is not None,
    sentence=lambda _: "This room is archived: you can read it, but nobody can post.",
)
READ_ONLY = Rule(
    reason="read_only",
    deeds=frozenset({"post", "edit"}),  # everybody may react to announcements
    actors=MEMBERS,
    applies=lambda access, _: access.room.is_read_only,
    sentence=lambda _: "Only moderators can post in this room.",
)
MUTED = Rule(
    reason="muted",
    deeds=frozenset({"post", "edit", "react"}),
    actors=EVERYBODY,
    applies=lambda access, now: access.muted_until is not None and access.muted_until > now,
    sentence=lambda access: f"You are muted here {until(access.muted_until or FOREVER)}: {access.mute_reason}",
    ends_at=lambda access: access.muted_until,
)
PINNING = Rule(
    reason="forbidden",
    deeds=frozenset({"pin"}),
    actors=EVERYBODY,
    applies=lambda access, _: not access.may_pin,
    sentence=lambda _: "Only moderators can pin messages in this room.",
)


def newcomer(is_newcomer: Callable[[Access], bool]) -> Rule:
    """Make the rule that a newcomer cannot edit messages."""
    return Rule(
        reason="newcomer",
        deeds=frozenset({"edit"}),
        actors=PEOPLE,
        applies=lambda access, _: is_newcomer(access),
        sentence=lambda _: "Until your first messages are approved, you can delete messages but not edit them.",
    )


RULES = (PINNING, ARCHIVED, READ_ONLY, MUTED)
"""The rules in their order. `RoomRules` adds the rule about newcomers. `RoomRules.take_turn` checks slow mode."""


class RoomRules:
    """Check the rules. Only `take_turn` uses the database."""

    def __init__(self, *, take_turn: TakeTurn, is_newcomer: Callable[[Access], bool], clock: Clock = utc_now) -> None:
        self._take_turn = take_turn
        self._clock = clock
        rules = (*RULES, newcomer(is_newcomer))
        self._of = {deed: tuple(rule for rule in rules if deed in rule.deeds) for deed in get_args(Deed)}

    def check(self, deed: Deed, access: Access, actor: Actor) -> None:
        """Raise `Refused` if the actor may not do `deed` now."""
        now = self._clock()
        for rule in self._of[deed]:
            if rule.applies(access, now) and _kind_of(access, actor) in rule.actors:
                raise rule.refusal(access, now)

    def check_lasting(self, access: Access, actor: Actor) -> None:
        """Raise `Refused` if a rule that does not end by itself forbids the actor to post."""
        if (refusal := _find_lasting(access, actor, self._clock())) is not None:
            raise refusal

    def take_turn(self, access: Access, actor: Actor, client_id: str) -> None:
        """Take a turn in a slow room, or raise `Refused` (`too_fast`). A repeated post needs no second turn."""
        seconds = wait_between(access, actor)
        wait = self._take_turn(access.user_id, access.room, client_id, seconds) if seconds else 0
        if wait:
            raise Refused(
                "too_fast",
                f"This room is slow: one message every {seconds} seconds. Please wait {wait:.0f} s.",
                retry_after=wait,
            )


def why_closed(access: Access) -> str:
    """Return the reason why a person cannot post in a room, or "". Mutes do not count, because they end."""
    refusal = _find_lasting(access, "person", utc_now())
    return refusal.message if refusal is not None else ""


def why_muted(access: Access) -> str:
    """Return the sentence for a person who is muted in a room now, or ""."""
    return MUTED.sentence(access) if MUTED.applies(access, utc_now()) else ""


def closed_to(room: Room) -> dict[str, str]:
    """Return why members (key `member`) and moderators (key `moderator`) cannot post in a room."""
    # Only rules for everybody refuse an administrator. The same rules refuse moderators.
    as_role: dict[str, Role] = {"member": "member", "moderator": "administrator"}
    return {kind: why for kind, role in as_role.items() if (why := why_closed(_anybody_in(room, role)))}


def wait_between(access: Access, actor: Actor) -> int:
    """Return how many seconds the actor must wait between two posts: 0 for moderators, and without slow mode."""
    seconds = access.room.slow_seconds
    return seconds if seconds and _kind_of(access, actor) in MEMBERS else 0


def _kind_of(access: Access, actor: Actor) -> ActorKind:
    if actor == "webhook":
        return "webhook"
    return "moderator" if access.may_moderate else "member"


def _anybody_in(room: Room, role: Role) -> Access:
    membership = Membership(user_id="", room_id=room.id, role=role)
    return Access(room=room, membership=membership, person=Person(id="", name=""))


def _find_lasting(access: Access, actor: Actor, now: datetime) -> Refused | None:
    for rule in RULES:
        is_lasting = "post" in rule.deeds and rule.ends_at is None
        if is_lasting and rule.applies(access, now) and _kind_of(access, actor) in rule.actors:
            return rule.refusal(access, now)
    return None
