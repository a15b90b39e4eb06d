"""Deliver messages to outgoing webhooks: at least once, in order, by one process at a time.

Each webhook has a position in the room's log. The position moves when the webhook's address accepts a message.
If the address does not accept the message, it is sent again after a pause. Each pause is longer than the previous one.
After three days of failures, the webhook is stopped.
"""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import msgspec

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import ChatroomError
from chatroom.base.models import Hook, Message, Room
from chatroom.messages.messages_store import MessageStore
from chatroom.outbound.fair_turns import FairTurns
from chatroom.outbound.hooks_store import HookStore
from chatroom.outbound.public_http import Answer, Forbidden
from chatroom.outbound.webhooks import KEY_PREFIX, NOT_MANAGED
from chatroom.site.background import BackgroundThread, Lease
from chatroom.site.leases_store import LeaseStore

log = logging.getLogger(__name__)

LEASE = "deliveries"
LEASE_SECONDS = 30.0
"""A post must take less than two thirds of this time."""
AT_ONCE = 4
"""The number of webhooks that are served in parallel."""
BATCH = 20
"""The maximum number of messages that a webhook gets in one turn."""
TIMEOUT_SECONDS = 5.0
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)
LONGEST_ERROR = 200
GONE = 410


class Deliveries:
    """Delivers new messages to the outgoing webhooks.

    `post` sends the HTTP request. It must refuse addresses in the server's own network.
    """

    def __init__(
        self,
        store: HookStore,
        message_store: MessageStore,
        leases: LeaseStore,
        post: Callable[..., Answer],
        *,
        find_room: Callable[[str], Room | None],
        find_manager: Callable[[Hook, Room], Access | None],
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._message_store = message_store
        self._send = post
        self._find_room = find_room
        self._find_manager = find_manager
        self._clock = clock
        self.turns = FairTurns()
        """The turns of the creators of webhooks: a slow address delays only its creator's webhooks."""
        lease = Lease(leases, LEASE, LEASE_SECONDS)
        self.thread = BackgroundThread(LEASE, self.deliver_all, lease=lease, stop_seconds=TIMEOUT_SECONDS)

    def deliver(self, hook: Hook, key: str) -> None:
        """Deliver one batch to a webhook, and store the outcome."""
        room = self._find_room(hook.room)
        if room is None:
            return
        if self._find_manager(hook, room) is None:
            self._note_failure(hook, NOT_MANAGED)
            return
        waiting = self._message_store.since(room.id, hook.cursor + 1, BATCH)
        for message in waiting:
            if not self.thread.may_go_on():
                return
            if _is_for(hook, message):
                if not self.turns.is_due(hook.made_by.id):
                    return
                with self.turns.take(hook.made_by.id):
                    error = self._post(hook, key, message, _body(room, hook, message))
                if error:
                    self._note_failure(hook, error)
                    return
                self._store.note(
                    hook.id, cursor=message.sequence, attempts=0, failing_since=None, next_at=None, last_error=""
                )
                hook = msgspec.structs.replace(hook, attempts=0, failing_since=None)
        if waiting:
            self._store.note(hook.id, cursor=waiting[-1].sequence)

    def deliver_all(self) -> None:
        """Deliver to every webhook that is due, `AT_ONCE` in parallel."""
        now = self._clock()
        due = [
            (hook, key)
            for hook, key in self._store.list_outgoing()
            if (hook.next_at is None or hook.next_at <= now) and self.turns.is_due(hook.made_by.id)
        ]
        newest = self._message_store.newest_of({hook.room for hook, _ in due}) if due else {}
        behind = [(hook, key) for hook, key in due if newest.get(hook.room, 0) > hook.cursor]
        if behind:
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="delivery") as pool:
                wait([pool.submit(self._attempt, hook, key) for hook, key in behind])

    def _attempt(self, hook: Hook, key: str) -> None:
        try:
            self.deliver(hook, key)
        except ChatroomError:
            pass  # the database does not answer; the same message is sent again
        except Exception:
            log.exception("a webhook's delivery failed, and is tried again", extra={"hook": hook.id})

    def _post(self, hook: Hook, key: str, message: Message, body: bytes) -> str:
        """Post one message; return the reason of a failure, or ""."""
        event, timestamp = f"{message.id}-{hook.id}", str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Chatroom-Webhook/1",
            "webhook-id": event,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(key, event, timestamp, body),
        }
        try:
            answer = self._send(hook.url, data=body, headers=headers, timeout=TIMEOUT_SECONDS)
        except Forbidden as error:
            return str(error)
        except OSError as error:
            return f"Nobody answered: {type(error).__name__}"
        return "" if 200 <= answer.status_code < 300 else f"The answer was {answer.status_code}"

    def _note_failure(self, hook: Hook, error: str) -> None:
        now = self._clock()
        since = hook.failing_since or now
        pause = min(FIRST_WAIT * 2 ** min(hook.attempts, 20), LONGEST_WAIT)
        is_over = now - since >= GIVE_UP_AFTER or error.endswith(str(GONE))
        self._store.note(
            hook.id,
            attempts=hook.attempts + 1,
            failing_since=since,
            next_at=now + pause,
            last_error=error[:LONGEST_ERROR],
            given_up_at=now if is_over else None,
        )
        if is_over:
            log.warning("a webhook was stopped: %s", error, extra={"hook": hook.id})


def _body(room: Room, hook: Hook, message: Message) -> bytes:
    author = {"id": message.author.id, "name": message.author.name}
    told = {
        "id": message.id,
        "sequence": message.sequence,
        "author": author,
        "text": message.text,
        "sent_at": message.sent_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return json.dumps({"hook": hook.id, "room": room.slug, "title": room.title, "message": told}).encode()


def signature(key: str, event: str, timestamp: str, body: bytes) -> str:
    """Sign an event as Standard Webhooks 1.0 says (https://www.standardwebhooks.com)."""
    plain = key.removeprefix(KEY_PREFIX).replace("-", "+").replace("_", "/")  # keys of older versions are URL-safe
    secret = base64.b64decode(plain)
    signed = hmac.digest(secret, f"{event}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed).decode()


def _is_for(hook: Hook, message: Message) -> bool:
    """Return whether to deliver a message. Messages of bots are not delivered, because webhooks could form a loop."""
    if message.kind != "message" or message.deleted_at is not None or message.author.is_bot:
        return False
    return message.text.casefold().startswith(hook.trigger.casefold())
