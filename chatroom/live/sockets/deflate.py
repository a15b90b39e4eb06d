"""Compression (RFC 7692): a frame is compressed once, for all clients that receive it.

No message refers to an earlier one (`no_context_takeover`, both ways), so all clients can read the same bytes, and
a connection needs no memory. uvicorn compresses for each connection separately, and keeps 50 kB for it.
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
"""Five times smaller at 4 µs a kilobyte; level 6 saves another eighth, and takes three times as long."""
END = b"\0\0\xff\xff"
"""The end of a flushed piece; it is not sent, and the receiver appends it again."""

_compressor = zlib.compressobj(LEVEL, wbits=-WINDOW_BITS)


class Deflate(PerMessageDeflate):
    """Read what clients compress; do not compress what uvicorn itself sends, which is short."""

    def encode(self, frame: Frame) -> Frame:
        return frame


class DeflateFactory(ServerPerMessageDeflateFactory):
    """Agree to compression if the client accepts the parameters that are the same for all."""

    def __init__(self) -> None:
        super().__init__(server_no_context_takeover=True, client_no_context_takeover=True)

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], Deflate]:
        """Answer an offer; raise `NegotiationError` if it needs a smaller window."""
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
