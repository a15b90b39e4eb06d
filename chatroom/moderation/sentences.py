"""Say each act of the audit log in a sentence.

A sentence has fields in braces for the texts that people typed, so that a page can escape and mark them. An act that
lacks a detail, because an older version stored it, has a shorter sentence.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from chatroom.rooms.fields import SETTINGS
from chatroom.site.audit import CONSOLE, ActName
from chatroom.site.audit_store import Act

A_ROLE = {"member": "an ordinary member", "moderator": "a moderator", "administrator": "an administrator"}
REGISTRATION = {
    "open": "opened registration to everybody",
    "invite": "limited registration to people with an invite",
    "closed": "closed registration",
    "as set up": "left registration to the configuration of the server",
}


class Sentence(NamedTuple):
    """A sentence with fields, and the text of each field."""

    text: str
    fields: Mapping[str, str]

    def __str__(self) -> str:
        return self.text.format_map(self.fields)


def sentence_of(act: Act, room_id: str = "") -> Sentence:
    """Say an act. In the record of a room, whose id is `room_id`, the room is "this room"."""
    fields = {name: str(value) for name, value in act.details.items()}
    fields |= {name: setting.line(act.details[name]) for name, setting in SETTINGS.items() if name in act.details}
    fields["who"] = act.actor.name
    fields["whom"] = f"@{act.subject.name}" if act.subject.kind == "user" else act.subject.name
    fields["room"] = act.room.name if act.room else "a room"
    if room_id:
        fields["whom"] = "this room" if act.subject.id == room_id else fields["whom"]
        fields["room"] = "this room" if act.room and act.room.id == room_id else fields["room"]
    if act.actor == CONSOLE:
        fields["who"] = "Somebody at the console"
    fields["act"] = act.act
    phrase = PHRASES.get(act.act, _always("did something to {whom} ({act})"))  # type: ignore[call-overload]
    return Sentence(f"{{who}} {phrase(act)}", fields)


def _always(phrase: str) -> Callable[[Act], str]:
    return lambda _: phrase


def _changed_room(act: Act) -> str:
    parts = []
    if "title" in act.details:
        parts.append("set the name to “{title}”")
    if "topic" in act.details:
        parts.append("set the topic to “{topic}”" if act.details["topic"] else "removed the topic")
    parts += [f"{{{name}}}" for name in SETTINGS if name in act.details]
    return "changed {whom}" + (": " if parts else "") + "; ".join(parts)


def _deleted_account(act: Act) -> str:
    whose = "their own account" if act.actor.id == act.subject.id else "the account of {whom}"
    kept = {"kept": "; the messages stay", "erased": "; the messages are erased"}
    return f"deleted {whose}{kept.get(str(act.details.get('messages')), '')}"


def _deleted_message(act: Act) -> str:
    return "deleted message {message} by {whom}" if "message" in act.details else "deleted a message by {whom}"


def _decided(verb: str) -> Callable[[Act], str]:
    return lambda act: f"{verb} {_number(act, 'reports', 'report')} about a message by {{whom}}"


def _ended_sessions(act: Act) -> str:
    return "logged {whom} out everywhere" + (f": {_number(act, 'count', 'session')}" if "count" in act.details else "")


def _held(act: Act) -> str:
    if not act.details.get("first"):
        return "let newcomers post without approval"
    return f"had the first {_number(act, 'first', 'message')} of newcomers held for approval"


def _invited(what: str) -> Callable[[Act], str]:
    def say(act: Act) -> str:
        hours = act.details.get("hours", 0) or 24 * act.details.get("days", 0)
        limits = f", for {_number(act, 'uses', 'person', 'people')} and {_length(hours)}" if hours else ""
        return f"created {what}{limits}"

    return say


def _made_webhook(act: Act) -> str:
    sends = ", which sends messages to {host}" if act.details.get("host") else ""
    what = "the {kind} webhook “{webhook}”" if {"kind", "webhook"} <= act.details.keys() else "a webhook"
    return f"created {what} in {{whom}}{sends}"


def _named_site(act: Act) -> str:
    name = "named the site “{name}”"
    if act.details.get("name", "as set up") == "as set up":
        name = "left the name of the site to the configuration of the server"
    return name + ("; what it is for: “{about}”" if act.details.get("about") else "")


def _set_role(place: str) -> Callable[[Act], str]:
    def say(act: Act) -> str:
        before = f"; before: {act.details['before']}" if act.details.get("before") in A_ROLE else ""
        return f"made {{whom}} {A_ROLE.get(act.details.get('role', ''), 'a member')} of {place}{before}"

    return say


def _silenced(verb: str, *, place: str = "") -> Callable[[Act], str]:
    return lambda act: verb + (place if act.room else "") + (" {until}" if act.details.get("until") else "")


PHRASES: dict[ActName, Callable[[Act], str]] = {
    "add_member": _always("added {whom} to {room}"),
    "appoint": _always("made {whom} the administrator of {room}"),
    "approve_message": lambda act: (
        "approved a message by {whom}" + (", and trusts its author" if "trusted" in act.details else "")
    ),
    "archive_room": _always("archived {whom}"),
    "ban": _silenced("banned {whom}"),
    "change_room": _changed_room,
    "clear_history": _always("cleared the history of {whom}"),
    "delete_account": _deleted_account,
    "delete_message": _deleted_message,
    "dismiss_report": _decided("dismissed"),
    "end_room_link": _always("ended a link to {whom}"),
    "end_sessions": _ended_sessions,
    "make_invite": _invited("an invite to the site"),
    "make_reset_link": _always("created a link for {whom} to choose a new password"),
    "make_room_link": _invited("a link to {whom}"),
    "make_webhook": _made_webhook,
    "mute": _silenced("muted {whom}", place=" in {room}"),
    "reject_message": _always("rejected a message by {whom}"),
    "remove_member": _always("removed {whom} from {room}"),
    "remove_webhook": _always("removed a webhook of {whom}"),
    "rename": lambda act: "changed their name" + (", which was “{before}”" if "before" in act.details else ""),
    "revoke_invite": _always("revoked an invite to the site"),
    "set_holding": _held,
    "set_naming": _named_site,
    "set_registration": lambda act: REGISTRATION.get(act.details.get("registration", ""), "changed registration"),
    "set_role": _set_role("the site"),
    "set_room_role": _set_role("{room}"),
    "unarchive_room": _always("reopened {whom}"),
    "unban": _always("let {whom} back in"),
    "unmute": _silenced("unmuted {whom}", place=" in {room}"),
    "uphold_report": _decided("agreed with"),
    "use_reset_link": _always("chose a new password with a link"),
}


def _number(act: Act, name: str, one: str, more: str = "") -> str:
    count: Any = act.details.get(name, 1)
    return f"{count} {one if count == 1 else more or one + 's'}"


def _length(hours: int) -> str:
    count, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{count} {unit}{'' if count == 1 else 's'}"
