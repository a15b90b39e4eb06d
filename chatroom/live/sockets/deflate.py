"""Compression (RFC 7692): what is sent is compressed once, for everybody who receives it.

No message refers to one before it (`no_context_takeover`, both ways), so the same bytes suit every reader, and nothing
is kept for a connection. uvicorn's own compression works for each connection anew, and keeps 50 kB for it.
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
"""What ends a flushed piece; it is not sent, the receiver puts it back."""

_compressor = zlib.compressobj(LEVEL, wbits=-WINDOW_BITS)


class Deflate(PerMessageDeflate):
    """Read what clients compress; what uvicorn sends by itself is short, and stays as it is."""

    def encode(self, frame: Frame) -> Frame:
        """Leave a frame alone."""
        return frame


class DeflateFactory(ServerPerMessageDeflateFactory):
    """Agree to compression where the client takes what suits everybody."""

    def __init__(self) -> None:
        super().__init__(server_no_context_takeover=True, client_no_context_takeover=True)

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], Deflate]:
        """Answer an offer; raise `NegotiationError` for one that asks for a smaller window than ours."""
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
    """Open a payload that a client compressed; None when it is broken, or longer than `most`."""
    opener = zlib.decompressobj(wbits=-WINDOW_BITS)
    try:
        text = opener.decompress(payload + END, most)
    except zlib.error:
        return None
    return None if opener.unconsumed_tail else text
