"""The address of a client, and the network for which limits are counted.

Limits, logs and lists use these functions. A forwarded value counts only if a trusted proxy wrote it, and if it is an
address.
"""

import ipaddress
import re
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

HOST_BITS = 64
"""The bits of an IPv6 address that its owner can choose: providers assign a /64 network to each customer."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
SECURE_SCHEMES = {"https", "wss"}
WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<v4>[0-9.]+))(?::[0-9]{0,5})?")


def address_of(peer: str, forwarded_for: str, trusted_proxies: int) -> str:
    """Return the address that the outermost trusted proxy wrote, or else the address of the connection (`peer`)."""
    return shown(outermost(forwarded_for, trusted_proxies)) or shown(peer)


def is_secure(scheme: str, forwarded_proto: str, trusted_proxies: int) -> bool:
    """Return whether the browser uses TLS."""
    return (outermost(forwarded_proto, trusted_proxies) or scheme) in SECURE_SCHEMES


def outermost(values: str, trusted_proxies: int) -> str:
    """Return the value that the outermost trusted proxy wrote. Clients can forge only the values on its left."""
    words = [word.strip() for word in values.split(",")]
    return words[-trusted_proxies] if 0 < trusted_proxies <= len(words) else ""


def shown(text: str) -> str:
    """Return an address in its canonical spelling, without port, brackets and zone; "" if the text is no address."""
    text = text.strip().strip('"')
    if match := WITH_PORT.fullmatch(text):
        text = match["v6"] or match["v4"] or ""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    return str(address)


def networks_of(text: str) -> list[Network]:
    """Parse addresses and networks, separated by commas; raise `ValueError`."""
    return [ipaddress.ip_network(word.strip()) for word in text.split(",") if word.strip()]


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Return whether an address is in one of the networks."""
    return bool(address) and any(ipaddress.ip_address(address) in network for network in networks)


def network_of(address: str) -> str:
    """Return the network for which limits are counted: an IPv4 address itself, or the /64 of an IPv6 address."""
    if ":" not in address:
        return address
    try:
        whole = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if inner := ipv4_within(whole):
        return str(inner)
    return str(ipaddress.IPv6Network((int(whole) >> HOST_BITS << HOST_BITS, 128 - HOST_BITS)))


def ipv4_within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address inside a mapped, 6to4, Teredo or NAT64 address."""
    teredo = address.teredo[1] if address.teredo else None
    nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None
    return address.ipv4_mapped or address.sixtofour or teredo or nat64
