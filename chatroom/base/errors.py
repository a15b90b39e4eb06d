"""Errors that are shown to the user who caused them.

Every refusal has a machine-readable `reason`, and a sentence for the user.
"""


class ChatroomError(Exception):
    """An error whose text is shown to the user."""

    reason = "unavailable"


class SettingsError(ChatroomError):
    """A setting is missing or wrong."""


class Unavailable(ChatroomError):
    """The database cannot be reached, or did not answer in time; the outcome of a write is unknown."""

    retry_after = 5.0


class Refused(ChatroomError):
    """A request is refused; nothing was changed.

    `reason` is a word from a fixed set (`docs/protocol.md`); `retry_after` is in seconds.
    """

    def __init__(self, reason: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class Taken(Refused):
    """Another account has this user name or display name."""

    def __init__(self) -> None:
        super().__init__("taken", "User or displayname existed")
