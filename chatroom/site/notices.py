"""Tell every process what has changed, for example a membership, a room's name or a read position.

Notices are only hints and may be lost. A client that reconnects reads the present state.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chatroom.base.errors import Unavailable
from chatroom.base.models import Notice
from chatroom.site.notices_store import KEPT_SECONDS, NoticeStore

log = logging.getLogger(__name__)

START_OVERLAP = timedelta(hours=1)  # the clocks of this process and of the database may differ by this time
OVERLAP = timedelta(seconds=5)
DEAF_SECONDS = KEPT_SECONDS / 2
"""A process that has not read notices for this time may have missed notices."""
MAX_UNTOLD = 1000
MISSED = Notice(kind="missed")


class Notices:
    """Sends and receives notices. `apply` applies a notice in this process; False if no connection needs the notice."""

    def __init__(
        self,
        store: NoticeStore,
        *,
        apply: Callable[[Notice], bool] = lambda _: False,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._apply = apply
        self._seconds = seconds
        self._lock = threading.Lock()
        self._moment = datetime.now(UTC) - START_OVERLAP
        self._heard: dict[str, datetime] = {}
        self._heard_at = seconds()
        self._untold: deque[tuple[str, Notice]] = deque(maxlen=MAX_UNTOLD)

    def tell(self, *notices: Notice) -> None:
        """Apply notices in this process at once, and in the other processes within about a second.

        Call `tell` after the change is stored. `tell` never fails: a notice that cannot be stored now is stored later.
        """
        for notice in notices:
            notice_id = self._store.new_id()
            if self._apply(notice):
                with self._lock:
                    self._heard[notice_id] = datetime.max.replace(tzinfo=UTC)  # until the notice is read back
            try:
                self._store.add(notice_id, notice)
            except Unavailable:  # logged by `Database.bounded`
                self._untold.append((notice_id, notice))

    def hear(self) -> list[Notice]:
        """Return new notices of other processes, each once. `MISSED` comes first if some notices may be lost."""
        while self._untold:
            self._store.add(*self._untold[0])
            self._untold.popleft()
        # The newest notices are read repeatedly, because they may become visible out of order.
        found = self._store.told_since(self._moment)
        was_deaf = self._seconds() - self._heard_at > DEAF_SECONDS
        self._heard_at = self._seconds()
        with self._lock:
            fresh = [told.notice for told in found if told.id not in self._heard]
            self._heard |= {told.id: told.at for told in found}
            if found:
                self._moment = max(self._moment, found[-1].at - OVERLAP)
                self._heard = {id: at for id, at in self._heard.items() if at > self._moment}
        return [MISSED, *fresh] if was_deaf else fresh
