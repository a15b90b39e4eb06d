"""Render drafts, and store them as a room's next messages."""

from collections.abc import Sequence

from chatroom.base.models import Draft
from chatroom.messages.async_store import AsyncMessages, StoreNow
from chatroom.messages.markdown.rendering import render_plain
from chatroom.messages.messages_store import MessageStore, Rendered, Stored
from chatroom.messages.texts import Texts


class Appending:
    """Store drafts in groups. `store_now` writes from the event loop; it is None if there is no event loop."""

    def __init__(self, store: MessageStore, texts: Texts, store_now: AsyncMessages | None = None) -> None:
        self._store = store
        self._texts = texts
        self._store_now = store_now

    def append(self, room_id: str, drafts: Sequence[Draft], after: int | None = None) -> list[Stored]:
        """Store drafts in one write."""
        rendered = [Rendered(draft, self._texts.render_draft(draft)) for draft in drafts]
        return self._store.append(room_id, rendered, after=after)

    async def append_now(self, room_id: str, drafts: Sequence[Draft], after: int) -> list[Stored] | None:
        """Store drafts from the event loop, at the revisions that follow `after`.

        Returns None if a text has markup, or if the write failed. Then the caller must call `append`.
        """
        rendered = _render_all_plain(drafts)
        if self._store_now is None or rendered is None:
            return None
        return await self._store_now.append(room_id, rendered, after)

    def make_ready(self, room_id: str, drafts: Sequence[Draft], after: int) -> StoreNow | None:
        """Prepare `append_now`, and return a function that does the rest. Return None if a text has markup."""
        rendered = _render_all_plain(drafts)
        if self._store_now is None or rendered is None:
            return None
        return self._store_now.make_ready(room_id, rendered, after)


def _render_all_plain(drafts: Sequence[Draft]) -> list[Rendered] | None:
    """Render all drafts. Return None if a draft has markup, or if a draft occurs twice."""
    rendered = [Rendered(draft, html) for draft in drafts if (html := _render_plain(draft)) is not None]
    return rendered if len({each.key for each in rendered}) == len(drafts) else None


def _render_plain(draft: Draft) -> str | None:
    if draft.html:
        return draft.html
    return render_plain(draft.text) if draft.kind == "message" and not (draft.mentions or draft.rooms) else None
