"""Tell systemd the state of the server (`sd_notify`), if systemd asks for it (a unit with `Type=notify`)."""

import os
import socket
from contextlib import suppress


def notify(*states: str) -> None:
    """Send states such as `READY=1` to the socket of `NOTIFY_SOCKET`; without this variable, do nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto("\n".join(states).encode(), address)
