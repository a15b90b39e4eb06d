"""Webhooks of a room, which the administrators of the room create, list and remove.

The secret of an incoming webhook is stored only as a hash. The key of an outgoing webhook is stored as it is.
"""

import base64
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused
from chatroom.base.models import Author, Held, Hook, HookKind, Room
from chatroom.messages.messages_store import Stored
from chatroom.messages.posting import Posting, Submission
from chatroom.names import clean_hook_name, sender_name
from chatroom.outbound.formats.bodies import Said
from chatroom.outbound.hooks_store import HookStore
from chatroom.site.acts import Acts
from chatroom.site.acts_store import Note
from chatroom.site.audit import about_room
from chatroom.site.codes_store import hash_of

MOST_HOOKS = 20
"""The maximum number of webhooks of a room."""
LONGEST_URL = 1000
LONGEST_TRIGGER = 40
SECRET_BYTES = 24
LONGEST_SECRET = 100
KEY_PREFIX = "whsec_"
UNKNOWN = "There is no such webhook. It may have been removed."
NOT_MANAGED = "The creator of this webhook no longer manages the room. Create a new one."


class Webhooks:
    """Creates, lists and removes webhooks."""

    def __init__(
        self,
        store: HookStore,
        acts: Acts,
        *,
        newest_revision: Callable[[str], int],
        is_allowed: Callable[[str], bool],
        is_taken: Callable[[str], bool],
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._acts = acts
        self._newest_revision = newest_revision
        self._is_allowed = is_allowed
        self._is_taken = is_taken
        self._clock = clock

    def list_for(self, access: Access) -> list[Hook]:
        """Return the webhooks of a room, for its administrators."""
        _check_manager(access)
        return self._store.list_for(access.room.id)

    def make_incoming(self, access: Access, author: Author, name: str) -> str:
        """Create an incoming webhook that posts under this name; return its secret, which is shown only once."""
        hook = self._new(access, author, name, "incoming")
        secret = secrets.token_urlsafe(SECRET_BYTES)
        self._make(access, hook, lambda note: self._store.add(hook, secret_hash=hash_of(secret), note=note))
        return secret

    def make_outgoing(self, access: Access, author: Author, name: str, url: str, trigger: str = "") -> str:
        """Create an outgoing webhook; return its signing key, which is shown only once."""
        _check_manager(access)
        hook = self._new(access, author, name, "outgoing", url=self._checked(url), trigger=_trigger(trigger))
        key = KEY_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        self._make(access, hook, lambda note: self._store.add(hook, key=key, note=note))
        return key

    def remove(self, access: Access, hook_id: str) -> None:
        """Remove a webhook: it can no longer post or receive messages."""
        _check_manager(access)
        if not self._acts.do(
            "hooks",
            lambda note: self._store.end(access.room.id, hook_id, note),
            access.author,
            "remove_webhook",
            about_room(access.room),
            details={"webhook": hook_id[:8]},
            is_end=True,
        ):
            raise Refused("not_found", UNKNOWN)

    def _make(self, access: Access, hook: Hook, add: Callable[[Note], None]) -> None:
        host = {"host": urlsplit(hook.url).hostname or ""} if hook.url else {}
        details = {"webhook": hook.name, "kind": hook.kind} | host
        self._acts.do(
            "hooks", add, access.author, "make_webhook", about_room(access.room), details=details, is_new=True
        )

    def _new(
        self, access: Access, author: Author, name: str, kind: HookKind, *, url: str = "", trigger: str = ""
    ) -> Hook:
        _check_manager(access)
        cleaned = clean_hook_name(name)
        if self._is_taken(cleaned):
            raise Refused("taken", "This name is the name of a member, or looks like it. Please choose another.")
        if len(self._store.list_for(access.room.id)) >= MOST_HOOKS:
            raise Refused("invalid", f"A room has at most {MOST_HOOKS} webhooks. Remove one first.")
        return Hook(
            id=secrets.token_hex(12),
            room=access.room.id,
            kind=kind,
            name=cleaned,
            made_by=Author(author.id, author.name),
            created_at=self._clock(),
            url=url,
            trigger=trigger,
            cursor=self._newest_revision(access.room.id),
        )

    def _checked(self, url: str) -> str:
        """Strip and return the address; raise `Refused` if webhooks may not use it. Each delivery repeats the check."""
        url = url.strip()
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Refused("invalid", "This is not a valid address.") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or port == 0:
            raise Refused("invalid", "Enter an address that starts with https:// or http://, without a user name.")
        if len(url) > LONGEST_URL or not url.isprintable() or " " in url:
            raise Refused("invalid", f"The address is too long (at most {LONGEST_URL} characters) or contains spaces.")
        if not self._is_allowed(parts.hostname):
            raise Refused("invalid", "This host is unknown, or not on the public internet.")
        return url


class IncomingWebhooks:
    """Finds incoming webhooks by their secret, and posts through them.

    A webhook has no more rights than its creator, who must still manage the room.
    """

    def __init__(
        self,
        store: HookStore,
        posting: Posting,
        *,
        find_room: Callable[[str], Room | None],
        find_manager: Callable[[Hook, Room], Access | None],
        is_taken: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._posting = posting
        self._is_taken = is_taken
        self._find_room = find_room
        self._find_manager = find_manager

    def find(self, secret: str) -> tuple[Hook, Room]:
        """Return the webhook that posts with this secret, and its room; raise `Refused` if there is none."""
        hook = self._store.find_by_secret(hash_of(secret)) if len(secret) <= LONGEST_SECRET else None
        room = self._find_room(hook.room) if hook else None
        if hook is None or room is None:
            raise Refused("not_found", UNKNOWN)
        return hook, room

    def post(self, hook: Hook, room: Room, said: Said, address: str) -> Stored | Held:
        """Post under the name of the webhook; raise `Refused` if its creator may not post in the room."""
        manager = self._find_manager(hook, room)
        if manager is None:
            raise Refused("forbidden", NOT_MANAGED)
        return self._posting.post(
            Submission(
                access=manager,
                author=Author(hook.id, sender_name(hook.name, said.username, said.icon, self._is_taken), is_bot=True),
                address=address,
                text=said.text,
                client_id=said.client_id,
                actor="webhook",
            )
        )


def _trigger(word: str) -> str:
    word = word.strip()
    if len(word) > LONGEST_TRIGGER or not word.isprintable():
        raise Refused("invalid", f"The word is too long: at most {LONGEST_TRIGGER} characters are allowed.")
    return word


def _check_manager(access: Access) -> None:
    if not access.may_manage:
        raise Refused("forbidden", "Only administrators of the room can manage its webhooks.")
