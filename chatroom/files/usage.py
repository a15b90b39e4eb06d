"""Whether a file is in use: by its message, or by a held message."""

from collections.abc import Callable

from chatroom.base.models import Held, Message
from chatroom.files.files_store import KeptFile


class FileUsage:
    """Look for what has a file."""

    def __init__(
        self,
        find_message: Callable[[str, str, str], Message | None],
        find_held: Callable[[str, str, str], Held | None] = lambda _room_id, _author_id, _client_id: None,
    ) -> None:
        self.find_message = find_message
        self._find_held = find_held

    def is_used(self, kept: KeptFile) -> bool:
        """Whether a message has it, or one that waits for approval."""
        return self.has_message(kept) or self._is_held(kept)

    def has_message(self, kept: KeptFile) -> bool:
        """Whether a message has it: until then it is its owner's alone."""
        message = self.find_message(kept.room_id, kept.owner_id, kept.client_id)
        return message is not None and any(file.id == kept.file.id for file in message.files)

    def _is_held(self, kept: KeptFile) -> bool:
        held = self._find_held(kept.room_id, kept.owner_id, kept.client_id) if kept.client_id else None
        return held is not None and not held.is_done and any(file.id == kept.file.id for file in held.files)
