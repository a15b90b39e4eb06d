"""Reactions: the emoji that people add to a message.

Adding a reaction twice, or removing a missing reaction, changes nothing.
"""

from collections.abc import Sequence

from chatroom.base.errors import Refused
from chatroom.base.models import Author, Reaction
from chatroom.messages.markdown.emoji import find_emoji

MOST_EMOJI = 20
MOST_PEOPLE = 100


def check_emoji(text: str) -> str:
    """Return the stored form of an emoji. Raises `Refused` (`invalid`) if the text is not an emoji."""
    emoji = find_emoji(text.strip().strip(":"))
    if emoji is None:
        raise Refused("invalid", "A reaction is an emoji, or its name, such as :tada:.")
    return emoji


def react(reactions: Sequence[Reaction], person: Author, emoji: str, *, on: bool) -> list[Reaction] | None:
    """Add or remove a person's reaction, and return all reactions. Return None if nothing changes."""
    found = next((each for each in reactions if each.emoji == emoji), None)
    has_reacted = found is not None and any(each.id == person.id for each in found.people)
    if has_reacted == on:
        return None
    if not on:
        left = [_without(each, person) if each.emoji == emoji else each for each in reactions]
        return [each for each in left if each.people]
    if found is None:
        if len(reactions) >= MOST_EMOJI:
            raise Refused("too_many_reactions", f"A message has at most {MOST_EMOJI} different emoji. Choose one.")
        return [*reactions, Reaction(emoji, (person,))]
    if len(found.people) >= MOST_PEOPLE:
        raise Refused("too_many_reactions", f"{MOST_PEOPLE} people have reacted with {emoji}, which is the limit.")
    return [Reaction(emoji, (*each.people, person)) if each is found else each for each in reactions]


def _without(reaction: Reaction, person: Author) -> Reaction:
    return Reaction(reaction.emoji, tuple(each for each in reaction.people if each.id != person.id))
