"""The address of a MongoDB, refused before anything reads it."""

import re

import pytest

from chatroom.base.config import load_settings
from chatroom.base.errors import SettingsError
from chatroom.base.mongo_uris import ENCODE, FORM, HOST, PLACEHOLDER, PORT, SRV, check_uri

GOOD = [
    *("mongodb://h", "mongodb://h/", "mongodb://h?tls=true", "mongodb://h:27017/db?replicaSet=x&w=majority"),
    *("mongodb://a,b:1,c.example:65535/?replicaSet=x", "mongodb://[::1]:27017/", "mongodb://[fe80::1%25eth0],h/"),
    *("mongodb://u@h/", "mongodb://u:@h/", "mongodb://u:p%2F%40%3a%25@h/db", "mongodb://u:#[]!$&'()*+,;= ü@h/"),
    *(
        "mongodb+srv://u:p@cluster0.abcde.mongodb.net/?retryWrites=true&w=majority&appName=Cluster0",
        "mongodb://ü.example/",
    ),
    *("mongodb://u:p@%2Fsrv%2FData%2Fmongod.sock/db", "mongodb://127.0.0.1/", "mongodb://my_db/"),
]
SECRET = "hush"
BAD = {
    ENCODE: [
        *(
            "mongodb://ann:hush/hush@h/",
            "mongodb://ann:hush@hush@h/",
            "mongodb://ann:hush:hush@h/",
            "mongodb://hush/hush@h/",
        ),
        *("mongodb://ann:hush?hush@h/", "mongodb://ann:hush%@h/", "mongodb://ann:hush%zz@h/", "mongodb://:hush@h/"),
        *(
            "mongodb://ann:1234/hush@h",
            "mongodb+srv://ann:hush/hush@h.example/",
            "mongodb://ann:hush@h/?a=b@c",
            "mongodb://ann:hush@h/?appName=100%",
            "mongodb://%zz/",
        ),
        *("mongodb://ann:hush/h2@h3/?x=hush@h4", "mongodb://@h/", "mongodb://ann@hush@h", "mongodb://ann:hush@h/d@b"),
    ],
    HOST: [
        *("mongodb://", "mongodb:///", "mongodb://,", "mongodb://h,,g", "mongodb:///tmp/x.sock", "mongodb://ho st/"),
        *("mongodb://[::1/", "mongodb://h..g/", "mongodb://" + "x" * 64, "mongodb+srv://", "mongodb+srv://%2Fx.sock/"),
    ],
    PORT: [
        "mongodb://h:x/",
        "mongodb://h:99999/",
        "mongodb://h:0/",
        "mongodb://h:/",
        "mongodb://h:1:2/",
        "mongodb://[::1]:x/",
    ],
    PLACEHOLDER: ["mongodb+srv://ann:<hush_password>@h.example/"],
    SRV: ["mongodb+srv://a.b.c:27017/", "mongodb+srv://a.b.c,d.e.f/"],
    FORM: ["mongodb:/h", "http://h/", "mongodb://h/\n", "mongodb://h/\x1b[2J"],
}


@pytest.mark.parametrize("uri", GOOD)
def test_valid_uris_are_accepted(uri: str) -> None:
    check_uri(uri)


@pytest.mark.parametrize(("reason", "uri"), [(reason, uri) for reason in BAD for uri in BAD[reason]])
def test_o10_an_invalid_uri_gets_a_hint(reason: str, uri: str) -> None:
    """O10."""
    with pytest.raises(ValueError, match=re.escape(reason)):
        check_uri(uri)


def test_option_values_must_be_encoded_too() -> None:
    with pytest.raises(ValueError, match=r"options .*percent-encoded"):
        check_uri("mongodb://ann:hush@h/?appName=a@b")


@pytest.mark.parametrize("uri", [uri for uris in BAD.values() for uri in uris if SECRET in uri])
def test_o10_no_part_of_a_password_is_shown(uri: str) -> None:
    """O10: neither to the log nor, as a host's name, to whoever resolves names."""
    with pytest.raises(SettingsError) as refusal:
        load_settings({"MONGO_URI": uri, "SECRET_KEY": "k" * 32})
    assert SECRET not in str(refusal.value)
    assert "MONGO_URI=(hidden)" in str(refusal.value)
    assert "\n" not in str(refusal.value)
