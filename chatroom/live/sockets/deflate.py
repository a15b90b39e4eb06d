"""Compression (RFC 7692): compress a frame once, for all clients that receive it.

Frames do not refer to earlier frames (`no_context_takeover` in both directions), so all clients can read the same
bytes, and a connection needs no memory. uvicorn compresses separately for each connection, and keeps 50 kB for each.
"""

import zlib
from collections.abc import Sequence

from websockets.exceptions import NegotiationError
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame
from websockets.typing import ExtensionParameter

WINDOW_BITS = 15
LEVEL = 1
"""Five times smaller, at 4 µs per kilobyte. Level 6 would save another eighth, and take three times as long."""
END = b"\0\0\xff\xff"
"""The end of flushed data, which is not sent; the receiver appends it again."""

_compressor = zlib.compressobj(LEVEL, wbits=-WINDOW_BITS)


class Deflate(PerMessageDeflate):
    """Decompress frames of clients. Short frames that uvicorn itself sends are not compressed."""

    def encode(self, frame: Frame) -> Frame:
        return frame


class DeflateFactory(ServerPerMessageDeflateFactory):
    """Agree to compression if the client accepts the parameters that all clients share."""

    def __init__(self) -> None:
        super().__init__(server_no_context_takeover=True, client_no_context_takeover=True)

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], Deflate]:
        """Answer a client's offer; raise `NegotiationError` if the client needs a smaller window."""
        answer, agreed = super().process_request_params(params, accepted_extensions)
        if agreed.local_max_window_bits < WINDOW_BITS:
            raise NegotiationError("the window is too small")
        return answer, Deflate(
            remote_no_context_takeover=True,
            local_no_context_takeover=True,
            remote_max_window_bits=agreed.remote_max_window_bits,
            local_max_window_bits=WINDOW_BITS,
        )


def deflate(text: bytes) -> bytes:
    """Compress a frame's payload."""
    return (_compressor.compress(text) + _compressor.flush(zlib.Z_FULL_FLUSH))[: -len(END)]


def inflate(payload: bytes, most: int) -> bytes | None:
    """Decompress a payload; None if it is invalid, or longer than `most`."""
    opener = zlib.decompressobj(wbits=-WINDOW_BITS)
    try:
        text = opener.decompress(payload + END, most)
    except zlib.error:
        return None
    return None if opener.unconsumed_tail else text
