"""The rules of a room: what may not be done in it now, and by whom.

They are one ordered list, and the first rule that applies decides, for every way to post and for every page. The
caller says who acts: a person, or a webhook, which has its creator's rights.
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
Held = Literal["member", "moderator", "webhook"]
"""To whom a rule may apply: a person is a member or, with the rights, a moderator."""

EVERYBODY: frozenset[Held] = frozenset({"member", "moderator", "webhook"})
MEMBERS: frozenset[Held] = frozenset({"member"})
PEOPLE: frozenset[Held] = frozenset({"member", "moderator"})

TakeTurn = Callable[[str, Room, str, int], float]
"""Take the turn of a user, in a room, for a client id, in a number of seconds: 0, or how long to wait."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. `applies` does not use the database.

    `ends_at` is when the rule ends by itself. Without it, the rule lasts until somebody ends it, and the page says so
    before anybody tries.
    """

    reason: str
    deeds: frozenset[Deed]
    holds: frozenset[Held]
    applies: Callable[[Access, datetime], bool]
    sentence: Callable[[Access], str]
    ends_at: Callable[[Access], datetime | None] | None = None

    def refusal(self, access: Access, now: datetime) -> Refused:
        """The refusal, with the time to wait if the rule ends by itself."""
        end = self.ends_at(access) if self.ends_at is not None else None
        wait = (end - now).total_seconds() if end is not None and end < FOREVER else None
        return Refused(self.reason, self.sentence(access), retry_after=wait)


ARCHIVED = Rule(
    reason="archived",
    deeds=frozenset({"post", "edit", "react", "pin"}),
    holds=EVERYBODY,
    applies=lambda access, _: access.room.archived_at is not None,
    sentence=lambda _: "This room is archived: you can read it, but nobody can post.",
)
READ_ONLY = Rule(
    reason="read_only",
    deeds=frozenset({"post", "edit"}),  # everybody may react to announcements
    holds=MEMBERS,
    applies=lambda access, _: access.room.is_read_only,
    sentence=lambda _: "Only moderators can post in this room.",
)
MUTED = Rule(
    reason="muted",
    deeds=frozenset({"post", "edit", "react"}),
    holds=EVERYBODY,
    applies=lambda access, now: access.muted_until is not None and access.muted_until > now,
    sentence=lambda access: f"You are muted here {until(access.muted_until or FOREVER)}: {access.mute_reason}",
    ends_at=lambda access: access.muted_until,
)
PINNING = Rule(
    reason="forbidden",
    deeds=frozenset({"pin"}),
    holds=EVERYBODY,
    applies=lambda access, _: not access.may_pin,
    sentence=lambda _: "Only moderators can pin messages in this room.",
)


def newcomer(is_newcomer: Callable[[Access], bool]) -> Rule:
    """The rule that a newcomer does not edit what was approved."""
    return Rule(
        reason="newcomer",
        deeds=frozenset({"edit"}),
        holds=PEOPLE,
        applies=lambda access, _: is_newcomer(access),
        sentence=lambda _: "Until your first messages are approved, you can delete messages but not edit them.",
    )


RULES = (PINNING, ARCHIVED, READ_ONLY, MUTED)
"""Slow mode comes after them, because it needs the database."""


class RoomRules:
    """Check the rules. Only `take_turn` uses the database."""

    def __init__(self, *, take_turn: TakeTurn, is_newcomer: Callable[[Access], bool], clock: Clock = utc_now) -> None:
        self._take_turn = take_turn
        self._clock = clock
        rules = (*RULES, newcomer(is_newcomer))
        self._of = {deed: tuple(rule for rule in rules if deed in rule.deeds) for deed in get_args(Deed)}

    def check(self, deed: Deed, access: Access, actor: Actor) -> None:
        """Raise `Refused` unless the actor may do this now."""
        now = self._clock()
        for rule in self._of[deed]:
            if rule.applies(access, now) and _held(access, actor) in rule.holds:
                raise rule.refusal(access, now)

    def check_lasting(self, access: Access, actor: Actor) -> None:
        """Raise `Refused` if the actor cannot post, and waiting does not help."""
        if (refusal := _find_lasting(access, actor, self._clock())) is not None:
            raise refusal

    def take_turn(self, access: Access, actor: Actor, client_id: str) -> None:
        """Take a turn in a slow room, or raise `Refused` (`too_fast`). The same post needs only one turn."""
        seconds = wait_between(access, actor)
        wait = self._take_turn(access.user_id, access.room, client_id, seconds) if seconds else 0
        if wait:
            raise Refused(
                "too_fast",
                f"This room is slow: one message every {seconds} seconds. Please wait {wait:.0f} s.",
                retry_after=wait,
            )


def why_closed(access: Access) -> str:
    """Why a person cannot write in a room, for its page. A rule that ends by itself is shown when they try."""
    refusal = _find_lasting(access, "person", utc_now())
    return refusal.message if refusal is not None else ""


def closed_to(room: Room) -> dict[str, str]:
    """Why members or moderators cannot post in a room, for its open pages."""
    as_role: dict[str, Role] = {"member": "member", "moderator": "administrator"}
    return {held: why for held, role in as_role.items() if (why := why_closed(_anybody_in(room, role)))}


def wait_between(access: Access, actor: Actor) -> int:
    """Seconds that the actor waits between two posts; 0 for moderators."""
    seconds = access.room.slow_seconds
    return seconds if seconds and _held(access, actor) in MEMBERS else 0


def _held(access: Access, actor: Actor) -> Held:
    if actor == "webhook":
        return "webhook"
    return "moderator" if access.may_moderate else "member"


def _anybody_in(room: Room, role: Role) -> Access:
    membership = Membership(user_id="", room_id=room.id, role=role)
    return Access(room=room, membership=membership, person=Person(id="", name=""))


def _find_lasting(access: Access, actor: Actor, now: datetime) -> Refused | None:
    for rule in RULES:
        is_lasting = "post" in rule.deeds and rule.ends_at is None
        if is_lasting and rule.applies(access, now) and _held(access, actor) in rule.holds:
            return rule.refusal(access, now)
    return None
