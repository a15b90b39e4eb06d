"""What a member chooses in the bell of a room, from the page or by the API."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chatroom.base.access import Access
from chatroom.base.models import Membership, Notify
from chatroom.rooms.arrangement import Arrangement
from chatroom.web.kit.services import services
from chatroom.web.kit.times import times_of_reader

PREFERENCES = {"mentions": "Mentions", "all": "All messages", "none": "Nothing"}
DIRECT_PREFERENCES = {"mentions": "All messages", "none": "Nothing"}
"""In a direct conversation, `mentions` and `all` mean the same, because every message is addressed to the user."""
PAUSE = "tomorrow"
"""The choice that pauses the notifications of a room until the next morning."""
SIGNS = {"all": "bell-all", "mentions": "bell", "none": "bell-off", PAUSE: "bell-later"}
CHOICES = {
    "all": "All messages",
    "mentions": "Mentions",
    "none": "Nothing",
    PAUSE: "Nothing in this room until 8:00 tomorrow",
}


def preferences_for(kind: str) -> dict[str, str]:
    """Return the settings to choose from, without the pause, each with its name."""
    return DIRECT_PREFERENCES if kind == "direct" else PREFERENCES


def choose(access: Access, choice: str) -> str:
    """Store a choice of `CHOICES`. Return a sentence that says what notifies the member now."""
    given = {"notify": choice}
    services.rooms.arrangement.change(access, Arrangement(**given | pausing(given)))
    if choice == PAUSE:
        return f"This room notifies you of nothing until {times_of_reader().moment(_morning())}."
    is_direct_all = access.room.kind == "direct" and choice != "none"
    return f"This room notifies you of {'all messages' if is_direct_all else CHOICES[choice].lower()}."


def after_mute(membership: Membership) -> Notify:
    """Return what notifies a member who unmutes a room: after a pause, what was chosen before it.

    static/state/rooms/rooms.js has this rule too.
    """
    return membership.chosen if membership.paused_until and membership.chosen != "none" else "mentions"


def pausing(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an `Arrangement` for the choice of a pause, or none for another choice."""
    return {"notify": None, "paused_until": _morning()} if given.get("notify") == PAUSE else {}


def _morning() -> datetime:
    return times_of_reader().morning_after(datetime.now(UTC))


def choices_for(access: Access) -> list[tuple[str, str, str, bool]]:
    """Return the lines of the bell: the choice, its name, its sign, and whether it holds now."""
    membership, is_direct = access.membership, access.room.kind == "direct"
    chosen = "mentions" if is_direct and membership.chosen == "all" else membership.chosen
    now = PAUSE if membership.paused_until else chosen
    names = (DIRECT_PREFERENCES if is_direct else CHOICES) | {PAUSE: _name_of_pause(is_direct=is_direct)}
    return [(choice, name, SIGNS[choice], choice == now) for choice, name in names.items()]


def _name_of_pause(*, is_direct: bool) -> str:
    times = times_of_reader()
    is_night = times.day_of(_morning()) == times.day_of(datetime.now(UTC))
    name = CHOICES[PAUSE].replace("tomorrow", "today") if is_night else CHOICES[PAUSE]
    return name.replace("room", "conversation") if is_direct else name
