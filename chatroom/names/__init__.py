"""Every name that people choose: of people, rooms, webhooks and files, and the addresses made from them.

Names are checked only here, so that none can equal one of the server's own.
"""

from chatroom.names.files import FileName, clean_file_name
from chatroom.names.hooks import MAX_HOOK_NAME, HookName, clean_hook_name
from chatroom.names.looks import fold, look
from chatroom.names.people import (
    DISPLAY_NAME_RULE,
    RULE_VERSION,
    USERNAME_RULE,
    clean_display_name,
    clean_username,
    keys,
)
from chatroom.names.rooms import (
    FORMER_DIRECT,
    LOBBY_SLUG,
    MAX_TITLE,
    MAX_TOPIC,
    check_new_title,
    clean_title,
    clean_topic,
    is_former_direct,
    make_direct_slug,
    make_slug,
    title_keys,
)

__all__ = [
    "DISPLAY_NAME_RULE",
    "FORMER_DIRECT",
    "FileName",
    "HookName",
    "LOBBY_SLUG",
    "MAX_HOOK_NAME",
    "MAX_TITLE",
    "MAX_TOPIC",
    "RULE_VERSION",
    "USERNAME_RULE",
    "check_new_title",
    "clean_display_name",
    "clean_file_name",
    "clean_hook_name",
    "clean_title",
    "clean_topic",
    "clean_username",
    "fold",
    "is_former_direct",
    "keys",
    "look",
    "make_direct_slug",
    "make_slug",
    "title_keys",
]
