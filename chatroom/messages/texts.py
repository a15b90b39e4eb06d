"""Check a text, find its mentions, and render it, for posts and edits."""

from collections.abc import Callable, Sequence
from html import escape

import msgspec
import regex

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Draft, Person
from chatroom.messages.markdown.highlighting import Colours
from chatroom.messages.markdown.rendering import is_slow, render
from chatroom.messages.mentions import Unreached

VISIBLE = regex.compile(r"[^\s\p{Cc}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\u2800]")
WORD = regex.compile(r"[[\p{L}\p{N}\p{So}]--[\p{Default_Ignorable_Code_Point}\u2800]]", regex.V1)
UNSEEN = regex.compile(r"(?:```|~~~)[^\n]*|\]\([^)\n]*")
"""Parts of a text that are not shown: the mark of a block of code with its language, and the address of a link."""
MOST_MARKS = 500
"""Texts that have more marks and no word are accepted: rendering them takes too long for the event loop."""
HALF_CHARACTER = regex.compile(r"[\ud800-\udfff]")


class Texts:
    """Check and render texts. The `find_` functions query the database if a text has an `@` or a `#`."""

    def __init__(
        self,
        max_length: int,
        find_mentions: Callable[[Access, str], tuple[Person, ...]],
        find_unreached: Callable[[Access, str], tuple[Unreached, ...]] = lambda _access, _text: (),
        find_rooms: Callable[[Access, str], tuple[str, ...]] = lambda _access, _text: (),
    ) -> None:
        self._max_length = max_length
        self.find_mentions = find_mentions
        self.find_unreached = find_unreached
        self.find_rooms = find_rooms
        self._colours = Colours()

    def check(self, text: str, *, may_be_empty: bool = False) -> None:
        """Raise `Refused` (`empty`, `too_long`, `invalid`) if the text cannot be a message."""
        is_visible = VISIBLE.search(text) is not None
        if not may_be_empty and not is_visible:
            raise Refused("empty", "The message is empty.")
        if 0 < self._max_length < len(text):
            raise Refused(
                "too_long",
                f"The message is too long: {len(text):,} characters, and at most {self._max_length:,} are allowed.",
            )
        if is_visible and not _is_shown(text):
            raise Refused("empty", "The message is empty. Its marks, such as ```, contain no text.")
        if not text.isascii() and HALF_CHARACTER.search(text):
            raise Refused("invalid", "The message contains half a character (a lone surrogate). Please remove it.")

    def with_mentions(self, access: Access, draft: Draft) -> Draft:
        """Add to a draft the people whom its text mentions, and the rooms that it names."""
        mentions, rooms = self.find_mentions(access, draft.text), self.find_rooms(access, draft.text)
        return msgspec.structs.replace(draft, mentions=mentions, rooms=rooms) if mentions or rooms else draft

    def with_code(self, draft: Draft) -> Draft:
        """Add the HTML to a draft that is slow to render, because of code or formulas. Call this before queueing it."""
        if draft.html or draft.kind != "message" or not is_slow(draft.text):
            return draft
        return msgspec.structs.replace(draft, html=self.render_draft(draft))

    def preview(self, access: Access, text: str) -> str:
        """Return the HTML that a text of this user would have as a message. Store nothing. Raises `Refused`."""
        self.check(text)
        return self.render(access.user_id, text, self.find_mentions(access, text), self.find_rooms(access, text))

    def render_draft(self, draft: Draft) -> str:
        if draft.kind != "message":
            return f"<p>{escape(draft.text)}</p>"
        return draft.html or self.render(draft.author.id, draft.text, draft.mentions, draft.rooms)

    def render(self, author_id: str, text: str, mentions: Sequence[Person], rooms: Sequence[str] = ()) -> str:
        """Render a text. The time for code and formulas counts towards the author's limit of processor time."""
        return render(text, tuple(mentions), self._colours.of(author_id), rooms=rooms)


def _is_shown(text: str) -> bool:
    """Return whether a message shows more than marks, such as an empty block of code."""
    if WORD.search(UNSEEN.sub("", text) if "```" in text or "~~~" in text or "](" in text else text):
        return True
    short = "\n".join(part for line in text.split("\n") if (part := line.strip()))
    if len(short) > MOST_MARKS:
        return True
    html = render(short, highlight=lambda *_: "")
    return VISIBLE.search(regex.sub(r"<[^>]*>", "", html)) is not None
