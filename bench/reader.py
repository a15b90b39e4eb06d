"""One websocket that reads and does nothing else; a process of its own, so that it can be stopped by a signal.

Usage: python -m bench.reader PORT, with the handshake on standard input; prints "in" once it is in.
"""

import socket
import sys


def main(port: int, handshake: bytes) -> None:
    """Read until the end."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(handshake)
        if b" 101 " not in sock.recv(4096):
            raise SystemExit("refused")
        print("in", flush=True)
        while sock.recv(65536):
            pass


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.stdin.buffer.read())
