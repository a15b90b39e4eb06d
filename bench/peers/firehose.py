"""Send the same frame to all connections for ever, to measure the capacity of the load generator.

Usage: firehose.py PORT MESSAGES FRAMES (messages in a frame, frames in a write).
"""

import contextlib
import selectors
import socket
import sys

MESSAGE = (
    b'{"id":"6a5f0c1e2b3d4f5a6b7c8d9e","sequence":1234567,"revision":1234567,'
    b'"author":{"id":"6a5f0c1e2b3d4f5a6b7c8d9e","name":"Alice"},"client_id":"beef-1234567",'
    b'"text":"Zq7Xv1234567 see you at the station at half past six","sent_at":"2026-11-21T01:26:00.000Z"}'
)


def frame(messages: int) -> bytes:
    """Return a frame with that many messages."""
    payload = (
        b'{"type":"changes","room":"lobby","revision":1234567,"messages":[' + b",".join([MESSAGE] * messages) + b"]}"
    )
    return bytes((0x81, 126)) + len(payload).to_bytes(2, "big") + payload


def main(port: int, messages: int, frames: int) -> None:
    """Accept all connections, and send to them in turn."""
    whole = frame(messages) * frames
    listener = socket.create_server(("127.0.0.1", port), backlog=4096)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    left: dict[socket.socket, bytes] = {}
    while True:
        for key, _ in selector.select(0 if left else None):
            if key.fileobj is listener:
                sock, _ = listener.accept()
                selector.register(sock, selectors.EVENT_READ)
                continue
            sock = key.fileobj  # type: ignore[assignment]
            if not sock.recv(4096):
                selector.unregister(sock)
                left.pop(sock, None)
                continue
            sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            sock.setblocking(False)
            left[sock] = b""
        for sock, rest in left.items():
            with contextlib.suppress(OSError):
                piece = rest or whole
                left[sock] = piece[sock.send(piece) :]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
