"""Tell systemd the state of the server (`sd_notify`), if systemd asks for it (a unit with `Type=notify`)."""

import os
import socket
from contextlib import suppress


def beat() -> None:
    """Tell systemd that the server works, if systemd watches it (a unit with `WatchdogSec=`)."""
    if "WATCHDOG_USEC" in os.environ:
        notify("WATCHDOG=1", seconds=0)


def notify(*states: str, seconds: float = 1) -> None:
    """Send states such as `READY=1` to the socket of `NOTIFY_SOCKET`; without this variable, do nothing.

    If systemd does not read, wait for at most `seconds`.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(seconds)
        sender.sendto("\n".join(states).encode(), address)
