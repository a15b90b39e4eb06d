"""One address for showing, one network for counting."""

import pytest

from chatroom.base.addresses import address_of, is_secure, network_of, shown

PEER = "192.0.2.1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.1", "203.0.113.1"),
        (" 203.0.113.1 ", "203.0.113.1"),
        ("203.0.113.1:4711", "203.0.113.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ('"[2001:db8::1]:4711"', "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:203.0.113.1", "203.0.113.1"),
        ("[::ffff:cb00:7101]:80", "203.0.113.1"),
    ],
)
def test_o03_an_address_has_one_spelling(text: str, expected: str) -> None:
    """O03."""
    assert shown(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "unknown", "_hidden", "-", "chat.example", "chat.example:80", "203.0.113", "203.0.113.256", "0x7f.1"),
        *("010.0.0.1", "203.0.113.1:port", "203.0.113.1:80:80", "[203.0.113.1", "2001:db8::1]:80", "2001:db8::1::2"),
        *("1" * 5000, "\ud800", "\x00", "٣.0.113.1", "203.0.113.1\n203.0.113.2", "[]", "[]:80", ":", "%"),
    ],
)
def test_o03_anything_else_is_none(text: str) -> None:
    """O03, A12: it is neither shown nor counted as an address of its own."""
    assert shown(text) == ""
    assert address_of(PEER, text, 1) == PEER


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.1", PEER),
        (1, "203.0.113.1", "203.0.113.1"),
        (1, "forged, 203.0.113.1", "203.0.113.1"),
        (1, "203.0.113.1, forged", PEER),
        (1, "203.0.113.1,", PEER),
        (2, "forged, 203.0.113.1, 203.0.113.2", "203.0.113.1"),
        (2, "203.0.113.1", PEER),
        (1, "", PEER),
    ],
)
def test_o03_only_trusted_proxies_are_believed(proxies: int, forwarded: str, address: str) -> None:
    """O03."""
    assert address_of(PEER, forwarded, proxies) == address


def test_a_unix_socket_has_no_address() -> None:
    assert address_of("", "", 0) == ""
    assert address_of("", "203.0.113.1", 1) == "203.0.113.1"


@pytest.mark.parametrize(
    ("scheme", "said", "proxies", "secure"),
    [
        ("ws", "", 0, False),
        ("wss", "", 0, True),
        ("https", "", 0, True),
        ("ws", "https", 0, False),
        ("ws", "https", 1, True),
        ("wss", "http", 1, False),
        ("http", "https", 1, True),
        ("http", "https, http", 1, False),
        ("https", "http", 1, False),
        ("http", "javascript", 1, False),
    ],
)
def test_o03_tls_is_believed_as_addresses_are(scheme: str, said: str, proxies: int, secure: bool) -> None:
    """O03."""
    assert is_secure(scheme, said, proxies) is secure


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.1", "203.0.113.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("2002:cb00:7101:1::1", "203.0.113.1"),
        ("2002:cb00:7101:2::1", "203.0.113.1"),
        ("64:ff9b::203.0.113.1", "203.0.113.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("a webhook: not an address", "a webhook: not an address"),
    ],
)
def test_a12_a_64_counts_as_one_address(address: str, network: str) -> None:
    """A12: and those of one IPv4 address as that one, though they come translated."""
    assert network_of(address) == network
