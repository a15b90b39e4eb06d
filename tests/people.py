"""The cast: Alice and Bob are members, Mallory is logged in and not a member."""

from chatroom.base.access import Access
from chatroom.base.models import Author, Draft, Membership, Person, Role, Room
from chatroom.messages.messages_store import Rendered

ALICE = Author("a" * 24, "Alice")
BOB = Author("b" * 24, "Bob")
MALLORY = Author("c" * 24, "Mallory")


def person(author: Author) -> Person:
    """A member of the cast, as others see them."""
    return Person(author.id, author.name)


CAST = person(ALICE), person(BOB), person(MALLORY)


def draft(client_id: str, text: str | None = None, author: Author = ALICE) -> Draft:
    """A draft; its text is its client id unless given."""
    return Draft(author=author, text=client_id if text is None else text, client_id=client_id)


def rendered(client_id: str, text: str | None = None, author: Author = ALICE) -> Rendered:
    """A draft, rendered."""
    it = draft(client_id, text, author)
    return Rendered(it, f"<p>{it.text}</p>")


def access(author: Author, room: Room, role: Role = "member") -> Access:
    """The access of a member to a room."""
    membership = Membership(user_id=author.id, room_id=room.id, role=role)
    return Access(room=room, membership=membership, person=person(author))
