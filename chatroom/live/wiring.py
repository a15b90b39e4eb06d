"""Create the presences, the engine and the endpoint of live delivery."""

import logging
from collections.abc import Callable, Sequence
from functools import partial

from chatroom.base.models import Message
from chatroom.live import change_stream_store
from chatroom.live.bridge import Bridge
from chatroom.live.checks import EndedSessions
from chatroom.live.engine import Application, Engine, Limits
from chatroom.live.feed import SAFETY_SECONDS, ChangeStreamFeed, Feed, Hint, Known, poll
from chatroom.live.presence import presences_store
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.live.sockets.endpoint import Entrance, LiveEndpoint
from chatroom.live.sockets.visitor import Chat, ConnectionLimits
from chatroom.messages.appending import Appending
from chatroom.messages.async_store import AsyncMessages
from chatroom.messages.wiring import MessageParts
from chatroom.mongo.collections import CollectionModel
from chatroom.people.wiring import PeopleParts
from chatroom.rooms.wiring import RoomParts
from chatroom.site.wiring import SiteParts

log = logging.getLogger(__name__)

COLLECTIONS = (CollectionModel("presences", presences_store.INDEXES),)


class LiveParts:
    """The parts of live delivery."""

    def __init__(self, site: SiteParts, people: PeopleParts, messages: MessageParts, rooms: RoomParts) -> None:
        self._site, self._people, self._messages, self._rooms = site, people, messages, rooms
        self._context = context = site.context
        lease_seconds = context.settings.presence_lease_seconds
        self.presences = PresenceStore(context.database, process=context.origin, lease_seconds=lease_seconds)

    def make_engine(
        self, bridge: Bridge, store_now: AsyncMessages | None, *, posted_here: Callable[[str, Sequence[Message]], None]
    ) -> Engine:
        """Create the engine for the current event loop. `store_now` stores messages on this loop, without a thread."""
        site, messages, settings = self._site, self._messages, self._context.settings
        application = Application(
            find_room=self._rooms.store.find,
            hear_notices=site.notices.hear,
            ended_sessions=EndedSessions(self._people.sessions.ended_since),
            prolong_session=self._people.sessions.prolong,
            find_exclusion=self._people.accounts.find_exclusion,
            metrics=site.metrics,
            read_rights=self._rooms.current_rights.read,
            make_feed=self._make_feed,
            renew_site=site.settings.renew,
            find_moderators=lambda room_id, with_site: self._rooms.access_store.moderators_of(
                room_id, with_site=with_site
            ),
            posted_here=posted_here,
            posted_elsewhere=site.limits.posting.record,
        )
        limits = Limits(
            max_waiting=settings.max_waiting_drafts,
            tail_messages=settings.tail_messages,
            tail_bytes=settings.tail_bytes,
            lease_seconds=settings.presence_lease_seconds,
        )
        appending = Appending(messages.store, messages.texts, store_now)
        return Engine(bridge, appending, messages.store, self.presences, application=application, limits=limits)

    def make_endpoint(self, engine: Engine, entrance: Entrance) -> LiveEndpoint:
        """Create the endpoint that accepts connections."""
        settings, messages, rooms = self._context.settings, self._messages, self._rooms
        limits = ConnectionLimits(
            connections=settings.max_connections,
            connections_per_user=settings.max_connections_per_user,
            connections_per_address=settings.max_connections_per_address,
            rooms_per_connection=settings.max_rooms_per_connection,
        )
        chat = Chat(
            rooms=rooms.access,
            posting=messages.posting,
            changes=messages.changes,
            history=messages.history,
            mark_read=rooms.read_positions.mark,
            limits=limits,
        )
        return LiveEndpoint(engine, chat, entrance)

    def _make_feed(self, known: Known, hint: Hint) -> Feed:
        """Make the feed that the database supports. Called in a thread."""
        database = self._context.database
        database.warn_if_outdated()
        make_polling = partial(poll, self._messages.store.newest_revisions, known, hint)
        if not database.has_change_streams():
            log.info("the database has no change streams: polling for messages of other processes")
            return make_polling(seconds=self._context.settings.polling_milliseconds / 1000)
        log.info("messages of other processes arrive by change stream")
        watch = partial(change_stream_store.watch, database, self._context.origin)
        return ChangeStreamFeed(watch, make_polling(seconds=SAFETY_SECONDS), known, hint)
