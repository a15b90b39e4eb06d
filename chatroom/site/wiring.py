"""The wiring of this package: its parts and its collections."""

from collections.abc import Callable, Mapping

from chatroom.base.models import Notice
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context
from chatroom.site import audit_store, notices_store, settings_store
from chatroom.site.acts import Acts, FollowUp
from chatroom.site.acts_store import ActStore
from chatroom.site.audit import Audit
from chatroom.site.audit_store import AuditStore
from chatroom.site.background import CHORE_SECONDS, BackgroundThread, make_chore
from chatroom.site.leases_store import LeaseStore
from chatroom.site.limits import Limits
from chatroom.site.limits_store import MemoryWindows, MongoWindows
from chatroom.site.metrics import make_metrics
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from chatroom.site.settings_store import Site
from chatroom.site.versions_store import VersionStore

COLLECTIONS = (
    CollectionModel("site", settings_store.INDEXES, "kept"),
    CollectionModel("audit", audit_store.INDEXES, "kept"),
    CollectionModel("notices", notices_store.INDEXES),
    CollectionModel("leases"),
    CollectionModel("data_version"),
)


class SiteParts:
    """The parts of this package.

    `context` is for packages in higher layers.
    `threads` has this package's background threads, which only a server starts.
    """

    def __init__(
        self, context: Context, *, follow_ups: Mapping[str, FollowUp], apply_notice: Callable[[Notice], bool]
    ) -> None:
        """Create the parts. `follow_ups` maps acts to follow-ups. `apply_notice` applies a notice in this process."""
        database = context.database
        entries = AuditStore(database)
        self.context = context
        self.settings = Site(database)
        self.metrics = make_metrics(is_on=context.settings.has_metrics)
        # mongomock has no counters.
        windows = MemoryWindows() if context.settings.is_in_memory else MongoWindows(database)
        self.limits = Limits(context.settings, windows, database.bounded, metrics=self.metrics)
        self.notices = Notices(NoticeStore(database), apply=apply_notice)
        self.audit = Audit(entries)
        self.acts = Acts(ActStore(database), entries, self.notices.tell, follow_ups=follow_ups)
        self.versions = VersionStore(database)
        self.leases = LeaseStore(database, holder=context.origin)
        self.threads = (
            BackgroundThread("site", self.settings.renew, pause_seconds=CHORE_SECONDS),
            make_chore("acts", self.acts.finish, self.leases),
        )
