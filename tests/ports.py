"""Ports that the kernel gives, and nobody else gets meanwhile."""

import socket


class Port:
    """A port on the loopback, reserved for a server that another process starts on it, again and again.

    The reservation is a socket that is bound and does not listen. Linux gives its port to nobody who asks for any,
    and lets a server bind the very same one, as long as both set SO_REUSEADDR.
    """

    def __init__(self) -> None:
        self._reservation = socket.socket()
        self._reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reservation.bind(("127.0.0.1", 0))
        self.number: int = self._reservation.getsockname()[1]

    def release(self) -> None:
        """Give it back."""
        self._reservation.close()
