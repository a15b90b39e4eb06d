"""The names of webhooks, which have no accounts. A name is always shown with the badge of a bot."""

from typing import NewType

import regex

from chatroom.base.errors import Refused
from chatroom.names.looks import check_words
from chatroom.names.reserved import is_reserved

MAX_HOOK_NAME = 40

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
