"""The parts of this package, made once, and its collections."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

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
from chatroom.site.limits import Limits, make_limits
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from chatroom.site.settings import Site
from chatroom.site.settings_store import SiteStore

COLLECTIONS = (
    CollectionModel("site", settings_store.INDEXES, "kept"),
    CollectionModel("audit", audit_store.INDEXES, "kept"),
    CollectionModel("notices", notices_store.INDEXES),
    CollectionModel("leases"),
)


class SiteParts(msgspec.Struct, frozen=True):
    """What the package offers; `threads` are what it does in the background while a server runs."""

    settings: Site
    limits: Limits
    notices: Notices
    acts: Acts
    audit: Audit
    leases: LeaseStore
    threads: Sequence[BackgroundThread]


def make(context: Context, *, follow_ups: Mapping[str, FollowUp], apply_notice: Callable[[Notice], bool]) -> SiteParts:
    """Wire the package. `follow_ups` complete acts, by name; `apply_notice` applies this process's own notices."""
    database = context.database
    entries = AuditStore(database)
    notices = Notices(NoticeStore(database), apply=apply_notice)
    settings = Site(SiteStore(database))
    leases = LeaseStore(database, holder=context.origin)
    acts = Acts(ActStore(database), entries, notices.tell, follow_ups=follow_ups)
    return SiteParts(
        settings=settings,
        limits=make_limits(context.settings, database),
        notices=notices,
        acts=acts,
        audit=Audit(entries),
        leases=leases,
        threads=(
            BackgroundThread("site", settings.renew, pause_seconds=CHORE_SECONDS),
            make_chore("acts", acts.finish, leases),
        ),
    )
