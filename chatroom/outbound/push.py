"""Web Push: notify a browser whose page is closed, through the browser's push service.

The content is encrypted for that browser, so the push service learns only the time of the notification.
"""

import logging
import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from py_vapid import Vapid02
from py_vapid.utils import b64urlencode

from chatroom.base.errors import Refused
from chatroom.outbound.fair_turns import FairTurns
from chatroom.outbound.subscriptions_store import Subscription, SubscriptionStore
from chatroom.site.codes_store import hash_of

log = logging.getLogger(__name__)

MOST_BROWSERS = 10
"""The maximum number of browsers of a user. A new browser replaces the oldest one."""
LONGEST_ENDPOINT = 1000
KEPT_SECONDS = 24 * 3600
"""The time for which a push service keeps an undelivered notification."""
MOST_LATE = 1000
"""The maximum number of notifications that wait for slow push services; the oldest ones are dropped."""
TIMEOUT_SECONDS = 5.0
GONE = {404, 410}
KEY = re.compile(r"[A-Za-z0-9_-]{16,120}={0,2}\Z")


class Poster(Protocol):
    """A client that posts only to public addresses. pywebpush uses it like a `requests.Session`."""

    def post(self, url: str, **options: Any) -> Any: ...


class Push:
    """Subscribes browsers, and sends them notifications."""

    def __init__(
        self,
        store: SubscriptionStore,
        *,
        contact: str,
        poster: Poster,
        is_allowed: Callable[[str], bool],
        disturbable: Callable[[Collection[str]], Collection[str]],
    ) -> None:
        """Create the part. `disturbable` returns those of some users who may be disturbed now."""
        self._store = store
        self._contact = contact
        self._poster = poster
        self._is_allowed = is_allowed
        self._disturbable = disturbable
        self.turns = FairTurns()
        self._late: deque[tuple[Subscription, str]] = deque(maxlen=MOST_LATE)

    @property
    def public_key(self) -> str:
        """The key that a browser needs to subscribe, in URL-safe base64."""
        point = self._key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return str(b64urlencode(point))

    def subscribe(self, user_id: str, session_id: str, endpoint: str, p256dh: str, auth: str) -> None:
        """Store the subscription of a browser; raise `Refused` (`invalid`) if its address or keys are not valid."""
        address = urlsplit(endpoint)
        if address.scheme != "https" or not address.hostname or len(endpoint) > LONGEST_ENDPOINT:
            raise Refused("invalid", "The address of the push service must start with https:// and a host name.")
        if not self._is_allowed(address.hostname):
            raise Refused("invalid", "The address of the push service is not on the public internet.")
        if not KEY.match(p256dh) or not KEY.match(auth):
            raise Refused("invalid", "The keys of the push subscription are not valid.")
        subscription = Subscription(
            id=hash_of(endpoint), user_id=user_id, session_id=session_id, endpoint=endpoint, p256dh=p256dh, auth=auth
        )
        self._store.put(subscription, MOST_BROWSERS)

    def unsubscribe(self, user_id: str, endpoint: str) -> None:
        """Remove the subscription of a browser."""
        self._store.remove(user_id, hash_of(endpoint))

    def subscribers(self) -> set[str]:
        """Return the ids of all users with a subscribed browser."""
        return self._store.subscribers()

    def send(self, user_ids: Collection[str], payload: Mapping[str, str | int]) -> int:
        """Send to every browser of these users; return the number of sent notifications.

        Browsers that have unsubscribed are removed. If a user's push service was slow, `send_late` sends to this user's
        browsers after a pause, so that other users do not wait. Users who do not want to be disturbed now get nothing,
        also not later: their unread counts stay.
        """
        data = msgspec.json.encode(payload).decode()
        return self._send_to((each, data) for each in self._store.good_ones(self._disturbable(user_ids)))

    def send_late(self) -> int:
        """Send what waited for a pause that has ended; return the number of sent notifications."""
        late = list(self._late)
        self._late.clear()
        users = self._disturbable({each.user_id for each, _ in late})
        good = {each.id for each in self._store.good_ones(users)} if users else set()
        return self._send_to((each, data) for each, data in late if each.id in good)

    def _send_to(self, notifications: Iterable[tuple[Subscription, str]]) -> int:
        taken = 0
        for each, data in notifications:
            import pywebpush  # noqa: F401, PLC0415  slow to import, often not needed, and not the fault of a push service

            if self.turns.is_due(each.user_id):
                with self.turns.take(each.user_id):
                    taken += self._send(each, data)
            else:
                self._late.append((each, data))
        return taken

    def _send(self, subscription: Subscription, data: str) -> bool:
        from pywebpush import WebPushException, webpush  # noqa: PLC0415

        keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
        try:
            webpush(
                {"endpoint": subscription.endpoint, "keys": keys},
                data,
                vapid_private_key=self._key,
                vapid_claims={"sub": self._contact},
                ttl=KEPT_SECONDS,
                timeout=TIMEOUT_SECONDS,
                requests_session=self._poster,
            )
        except WebPushException as error:
            status = error.response.status_code if error.response is not None else 0
            if status in GONE:
                self._store.remove(subscription.user_id, subscription.id)
            else:
                log.warning("a push service refused a notification", extra={"status": status})
            return False
        except (OSError, ValueError) as error:
            log.warning("a push service cannot be reached: %s", type(error).__name__)
            return False
        return True

    @cached_property
    def _key(self) -> Vapid02:
        return Vapid02.from_pem(self._store.keep_key(_make_key).encode())


def _make_key() -> str:
    vapid = Vapid02()
    vapid.generate_keys()
    pem: bytes = vapid.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()
