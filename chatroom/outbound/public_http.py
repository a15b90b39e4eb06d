"""An HTTP client for addresses that users choose: it connects only to public addresses.

The client resolves the host name, checks all its IP addresses, and connects to one of them. So a later change
of the name's addresses (DNS rebinding) has no effect. Redirects are not followed.
"""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import msgspec
import urllib3

from chatroom.base.addresses import ipv4_within
from chatroom.base.threads import Places

LARGEST_ANSWER = 10_000
LONGEST_ANSWER_SECONDS = 5.0
"""The time to read a response, in addition to the time-out."""
LOOKED_UP_AT_ONCE = 4
"""The maximum of simultaneous look-ups of names from users. A look-up blocks a thread until a name server answers."""
BUSY = "The server is already resolving several host names. Please try again."
PORTS = {"http": 80, "https": 443}
WITHIN = tuple(
    map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "168.63.129.16/32", "3fff::/20"))
)
"""Networks that Python wrongly calls global: protocol assignments, 6to4 relays, the former site-local
addresses, the metadata service of Azure (other clouds use link-local addresses), and documentation."""


class Forbidden(OSError):
    """The address is not on the public internet."""


class Answer(msgspec.Struct, frozen=True):
    """A response, cut to `LARGEST_ANSWER` bytes."""

    status_code: int
    text: str
    headers: dict[str, str]
    reason: str = ""


class PublicHttp:
    """An HTTP client for addresses from users; only `allowed_hosts` may have addresses that are not public."""

    def __init__(self, allowed_hosts: Collection[str] = ()) -> None:
        self._allowed = {host.casefold() for host in allowed_hosts}
        self._looking_up = Places("names", LOOKED_UP_AT_ONCE, BUSY, retry_after=5.0)

    def is_allowed(self, host: str) -> bool:
        """Return whether this name is allowed, or all its addresses are public; return False for an unknown name.

        Raise `Refused` (`busy`) if too many names are being looked up at this moment.
        """
        try:
            self._looking_up.run(lambda: self._find_address(host, 443))
        except OSError:
            return False
        return True

    def post(
        self,
        url: str,
        *,
        data: bytes | str = b"",
        headers: dict[str, Any] | None = None,
        timeout: float = 5.0,
        **_: Any,
    ) -> Answer:
        """Send a POST request; follow no redirects. Raises `Forbidden` if the address is not public, or `OSError`."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname or parts.username:
            raise Forbidden("The address must begin with http:// or https://, and have no user name.")
        port = parts.port or PORTS[parts.scheme]
        address = self._find_address(parts.hostname, port)
        options: dict[str, Any] = {"timeout": urllib3.Timeout(connect=timeout, read=timeout), "retries": False}
        pool: urllib3.HTTPConnectionPool
        if parts.scheme == "https":
            pool = urllib3.HTTPSConnectionPool(
                address, port, server_hostname=parts.hostname, assert_hostname=parts.hostname, **options
            )
        else:
            pool = urllib3.HTTPConnectionPool(address, port, **options)
        opened = _remember_connections(pool)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = {name: str(value) for name, value in (headers or {}).items()} | {"Host": parts.netloc}
        # The time-out bounds each read only; a server that answers byte by byte could take hours.
        end = threading.Timer(timeout + LONGEST_ANSWER_SECONDS, _cut, [opened])
        end.start()
        try:
            with pool:
                response = pool.urlopen(
                    "POST", target, body=data, headers=sent, redirect=False, preload_content=False, decode_content=False
                )
                body = response.read(LARGEST_ANSWER)
                response.close()
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise OSError(f"{type(error).__name__}: {str(error)[:200]}") from error
        finally:
            end.cancel()
        return Answer(response.status, body.decode("utf-8", "replace"), dict(response.headers), response.reason or "")

    def _find_address(self, host: str, port: int) -> str:
        try:
            found = {str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        except UnicodeError as error:
            raise OSError("This is not a host name.") from error
        if host.casefold() not in self._allowed:
            for address in found:
                if not is_public(address) or is_own(address):
                    raise Forbidden("The address is not on the public internet.")
        return min(found, key=lambda address: ":" in address)  # IPv4 first: many hosts cannot reach IPv6 addresses


def _remember_connections(pool: urllib3.HTTPConnectionPool) -> list[Any]:
    """Return a list to which the pool adds each connection that it opens."""
    opened: list[Any] = []

    class Remembered(pool.ConnectionCls):  # type: ignore[name-defined, misc]
        def connect(self) -> None:
            opened.append(self)
            super().connect()

    pool.ConnectionCls = Remembered
    return opened


def _cut(opened: list[Any]) -> None:
    """Shut down connections from which another thread reads."""
    for connection in opened:
        if connection.sock is not None:
            with contextlib.suppress(OSError):
                # This shuts down TCP only: closing TLS first could block.
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def is_own(address: str) -> bool:
    """Return whether an IP address belongs to this machine."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # Connecting a UDP socket sends nothing. If the address is this machine's, the local address is the same.
            probe.connect((address, PORTS["https"]))
            return str(probe.getsockname()[0]) == address
    except OSError:
        return False


def is_public(address: str) -> bool:
    """Return whether an IP address, and any IPv4 address inside it, is public: not private, local or multicast."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address) and (inner := ipv4_within(ip)):
        return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not any(ip in network for network in WITHIN)
