"""The typed values that travel between the stores, the engine and the pages.

They are immutable, hold no database types, and every time in them is aware and UTC.
"""

from chatroom.base.models.messages import (
    SERVER_MADE,
    Draft,
    File,
    Held,
    Message,
    Reaction,
    given_client_id,
    make_client_id,
)
from chatroom.base.models.notices import Notice
from chatroom.base.models.people import (
    FORMER_MEMBER,
    ApprovalState,
    Author,
    FormerMember,
    Person,
    Role,
    Scope,
    Session,
    User,
)
from chatroom.base.models.rooms import (
    Hook,
    HookKind,
    Membership,
    Notify,
    Room,
    RoomEntry,
    RoomKind,
    RoomName,
    RoomValues,
    Slug,
)

__all__ = [
    "ApprovalState",
    "Author",
    "Draft",
    "FORMER_MEMBER",
    "File",
    "FormerMember",
    "Held",
    "Hook",
    "HookKind",
    "Membership",
    "Message",
    "Notice",
    "Notify",
    "Person",
    "Reaction",
    "Role",
    "Room",
    "RoomEntry",
    "RoomKind",
    "RoomName",
    "RoomValues",
    "SERVER_MADE",
    "Scope",
    "Session",
    "Slug",
    "User",
    "given_client_id",
    "make_client_id",
]
