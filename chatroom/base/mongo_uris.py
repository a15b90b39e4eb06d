"""Check a MongoDB address before pymongo parses it. No part of a password may be parsed as a host name.

Errors never contain the address.
"""

import re

ENCODE = (
    "its user name, its password and the values of its options have to be percent-encoded: "
    "% as %25, / as %2F, : as %3A, ? as %3F, @ as %40 "
    "(python3 -c 'from urllib.parse import quote; print(quote(input(), safe=\"\"))' does it)"
)
FORM = (
    "it must look like mongodb://user:password@host:27017/?replicaSet=name, or like mongodb+srv://user:password@host/"
)
HOST = "each of its hosts must be a name, an address in [ ], or the path of a socket with %2F for /"
PORT = "a port must be a number from 1 to 65535"
SRV = "with mongodb+srv:// it must name one host, and no port"

PLACEHOLDER = "its password is still a placeholder between < and >: write the password itself, without < and >"

PARTS = re.compile(r"(mongodb(?:\+srv)?)://(?:([^@]*)@)?([^@/?]*)(?:/([^@?]*))?(?:\?([^@]*))?")
USER = re.compile(r"[^/?:]+(?::[^/?:]*)?")
BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
NAME = re.compile(r"(?:[\w-]{1,63}\.)*[\w-]{1,63}\.?(?P<port>:.*)?|\[[0-9A-Fa-f:.%\w]+\](?P<port6>:.*)?")
SOCKET = re.compile(r"%2[Ff].*\.sock")


def check_uri(uri: str) -> None:
    """Raise `ValueError` if an address is not valid; the error tells the user what to do."""
    if any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in uri):
        raise ValueError(FORM)
    parts = PARTS.fullmatch(uri)
    if parts is None:
        raise ValueError(ENCODE if "@" in uri else FORM)
    scheme, user, hosts, _, _ = parts.groups()
    if re.fullmatch(r".*:<\w+>", user or ""):
        raise ValueError(PLACEHOLDER)
    if BROKEN.search(uri) or (user is not None and not USER.fullmatch(user)):
        raise ValueError(ENCODE)
    _check_hosts(hosts.split(","), is_srv=scheme != "mongodb")


def is_socket(uri: str) -> bool:
    """Return whether the host is a Unix socket of this machine."""
    parts = PARTS.fullmatch(uri)
    return parts is not None and SOCKET.fullmatch(parts[3]) is not None


def _check_hosts(hosts: list[str], *, is_srv: bool) -> None:
    for host in hosts:
        found = NAME.fullmatch(host)
        if found is None:
            if is_srv or not SOCKET.fullmatch(host):
                raise ValueError(HOST)
            continue
        port = found["port"] or found["port6"]
        if is_srv and (port or len(hosts) > 1):
            raise ValueError(SRV)
        if port and not (re.fullmatch(r":[0-9]{1,5}", port) and 0 < int(port[1:]) < 65536):
            raise ValueError(PORT)
