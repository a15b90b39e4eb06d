"""Keep whatever comes after the last chunk, however much it is."""

from chatroom.asgi import http_protocol, incoming_request


def apply() -> None:
    """Take the bound away, and the seal on the headers."""
    incoming_request.HEAD_BYTES = 10**12
    http_protocol._Sealed = list  # type: ignore[assignment, misc]
