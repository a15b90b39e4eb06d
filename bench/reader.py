"""A websocket that only reads, in a separate process, so that a signal can stop it.

Usage: python -m bench.reader PORT, with the handshake on standard input. It prints "in" once it is connected.
"""

import socket
import sys


def main(port: int, handshake: bytes) -> None:
    """Read until the connection ends."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(handshake)
        if b" 101 " not in sock.recv(4096):
            raise SystemExit("refused")
        print("in", flush=True)
        while sock.recv(65536):
            pass


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.stdin.buffer.read())
