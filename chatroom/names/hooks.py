"""The names of webhooks, which have no accounts. A name is always shown with the badge of a bot."""

from collections.abc import Callable
from typing import NewType

import regex

from chatroom.base.errors import Refused
from chatroom.names.decorations import BADGES
from chatroom.names.looks import check_words, fold
from chatroom.names.reserved import is_reserved

MAX_HOOK_NAME = 40
ROBOT = "🤖"

HookName = NewType("HookName", str)

_hidden = regex.compile(r"\p{Default_Ignorable_Code_Point}")


def clean_hook_name(text: str) -> HookName:
    """Return the name in its stored form, or raise `Refused` (`invalid`) with the reason."""
    name = " ".join(text.split())
    if not 0 < len(name) <= MAX_HOOK_NAME or not name.isprintable() or _hidden.search(name):
        raise Refused("invalid", f"Enter a name of 1 to {MAX_HOOK_NAME} visible characters.")
    check_words(name)
    if is_reserved(name):
        raise Refused("invalid", "This name is reserved. Please choose another.")
    return HookName(name)


def sender_name(hook_name: str, username: str, icon: str, is_taken: Callable[[str], bool]) -> str:
    """Return the name of a webhook's message whose program calls itself `username` and has an emoji as its picture.

    A user name that a webhook cannot have is left out, and so is an emoji that looks like a badge.
    """
    try:
        shown = clean_hook_name(username[:MAX_HOOK_NAME])
    except Refused:
        shown = HookName("")
    if not shown or fold(shown) == fold(hook_name) or is_taken(shown):
        shown = HookName("")
    is_badge = icon[:1] in BADGES - {ROBOT}
    own = f"{shown or hook_name} {icon}" if icon and not is_badge else shown or hook_name
    return f"{own} via {hook_name}" if shown else own
