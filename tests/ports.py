"""Ports from the kernel, reserved so that no other process gets them."""

import socket


class Port:
    """A reserved port on the loopback, on which another process can start a server several times.

    The reservation is a bound socket that does not listen. Linux does not assign its port to other sockets,
    but a server can bind it explicitly, because both set SO_REUSEADDR.
    """

    def __init__(self) -> None:
        self._reservation = socket.socket()
        self._reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reservation.bind(("127.0.0.1", 0))
        self.number: int = self._reservation.getsockname()[1]

    def release(self) -> None:
        """Release the port."""
        self._reservation.close()
