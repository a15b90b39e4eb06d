"""Keep whatever comes after the last chunk, however much it is."""

from chatroom.asgi import http_protocol


def apply() -> None:
    """Take the bound away, and the seal on the headers."""
    http_protocol.HEAD_BYTES = 10**12
    http_protocol._Sealed = list  # type: ignore[assignment, misc]
