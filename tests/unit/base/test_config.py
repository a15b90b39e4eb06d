import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chatroom.base.config import Settings, find_misspelt, load_settings, read_dotenv
from chatroom.base.errors import SettingsError
from tests.documents import ROOT

KEY = "k" * 32
MONGO_DB = "1 to 38 letters, digits, _ and -, and not admin, local or config"
HOSTS = "host names, separated by commas"
INNER_HOSTS = "host names or addresses without ports, separated by commas"
LIMIT = "written as '10 per 15 minutes' (several separated by ';'), or 0 for no limit"


def test_nothing_set_is_the_embedded_room() -> None:
    settings = load_settings({})
    assert settings == Settings()
    assert settings.is_embedded
    assert not settings.is_in_memory
    assert settings.data_path == ROOT / "data"


def test_settings_come_from_the_environment() -> None:
    """A6."""
    settings = load_settings(
        {"SECRET": KEY, "IP": "0.0.0.0", "PORT": "8080", "MONGO_URI": "mongodb://db/", "STORE_TIMEOUT_SECONDS": "2.5"}
    )
    assert (settings.secret_key, settings.ip, settings.port) == (KEY, "0.0.0.0", 8080)
    assert settings.store_timeout_seconds == 2.5
    assert not settings.is_embedded


def test_the_newer_name_of_the_secret_comes_first() -> None:
    assert load_settings({"SECRET": "o" * 32, "SECRET_KEY": KEY}).secret_key == KEY


def test_empty_and_padded_values() -> None:
    assert load_settings({"PORT": "", "SITE_NAME": "  ", "REGISTRATION": " closed "}).registration == "closed"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "abc", "a whole number from 0 to 65535"),
        ("PORT", "70000", "a whole number from 0 to 65535"),
        ("PORT", "-1", "a whole number from 0 to 65535"),
        ("MAX_CONNECTIONS", "-1", "a whole number, 0 or more"),
        ("STORE_TIMEOUT_SECONDS", "0", "a number above 0, and at most 60"),
        ("STORE_TIMEOUT_SECONDS", "nan", "a number above 0, and at most 60"),
        ("REGISTRATION", "maybe", "one of open, invite, closed"),
        ("LOG_LEVEL", "LOUD", "one of DEBUG, INFO, WARNING, ERROR"),
        ("SITE_NAME", "x" * 61, "1 to 60 characters"),
        ("POST_LIMIT_ACCOUNT", "often", "written as '10 per 15 minutes' (several separated by ';'), or 0 for no limit"),
        (
            "LOGIN_LIMIT_ADDRESS",
            "0 per hour",
            "written as '10 per 15 minutes' (several separated by ';'), or 0 for no limit",
        ),
        ("SESSION_IDLE_MINUTES", "9" * 30, "a whole number from 1 to 5256000"),
        *(("MONGO_DB", name, MONGO_DB) for name in ("a.b", "admin", "local", "config", "Admin")),
        *(("ALLOWED_HOSTS", hosts, HOSTS) for hosts in ("http://a.example", "a.example:x", "*", "a b", "a/", ",")),
        *(
            ("WEBHOOK_ALLOWED_HOSTS", hosts, INNER_HOSTS)
            for hosts in ("http://a", "1.0.0.0/8", "den:80", "a," * 30 + "/")
        ),
        *(("SITE_NAME", name, "1 to 60 characters") for name in ("a\x1b[2J", "a\nb", "\ud800")),
        ("IP", "0.0.0.0:80/x", "an address of this machine"),
        *(("POST_LIMIT_ACCOUNT", often, LIMIT) for often in ("9" * 30 + " per second", "1 per 99999999999 years", ";")),
    ],
)
def test_an_invalid_value_names_the_setting_and_the_allowed_values(name: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({name: value})
    assert str(error.value) == f"{name}={value!r} is not allowed: it must be {allowed}"


@pytest.mark.parametrize("value", ["0", "10 per second", "10/minute", "2 per second; 100 per hour"])
def test_limits(value: str) -> None:
    assert load_settings({"POST_LIMIT_ACCOUNT": value}).post_limit_account == value


def test_credentials_are_not_shown() -> None:
    """O06."""
    with pytest.raises(SettingsError) as error:
        load_settings({"MONGO_URI": "postgres://user:hunter22@db/"})
    assert "hunter22" not in str(error.value)
    assert "mongodb://" in str(error.value)


@pytest.mark.parametrize("secret", [{}, {"SECRET_KEY": ""}, {"SECRET_KEY": "dev"}, {"SECRET": "ten bytes."}])
def test_a_database_of_ones_own_needs_a_real_secret(secret: dict[str, str]) -> None:
    """S06, A6."""
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        load_settings({"MONGO_URI": "mongodb://db/", **secret})


@pytest.mark.parametrize("environ", [{}, {"MONGO_URI": "mongomock://"}])
def test_elsewhere_a_secret_can_be_made(environ: dict[str, str]) -> None:
    assert load_settings(environ).secret_key == ""


@pytest.mark.parametrize(
    "hosts", ["a", "a.example, .b.example", "10.0.0.1", "ü.example,a_b", "a,b,", ",a,, b ,", "a.b."]
)
def test_hosts(hosts: str) -> None:
    hosts = hosts.strip()
    assert load_settings({"ALLOWED_HOSTS": hosts, "WEBHOOK_ALLOWED_HOSTS": hosts}).allowed_hosts == hosts


def test_hosts_with_their_optional_parts() -> None:
    hosts = "a.example:8443, .b.example:, c"
    assert load_settings({"ALLOWED_HOSTS": hosts}).allowed_hosts == hosts
    assert load_settings({"WEBHOOK_ALLOWED_HOSTS": "::1,fd00::2,"}).webhook_allowed_hosts == "::1,fd00::2,"


def test_s06_an_earlier_secret_has_to_be_one_too() -> None:
    """S06."""
    with pytest.raises(SettingsError, match="SECRET_KEY_FALLBACKS") as error:
        load_settings({"SECRET_KEY": KEY, "SECRET_KEY_FALLBACKS": f"{KEY}, hush"})
    assert "hush" not in str(error.value)
    assert load_settings({"SECRET_KEY_FALLBACKS": f"{KEY},"})
    with pytest.raises(SettingsError, match="too short"):
        load_settings({"SECRET_KEY": "\udcff" * 3})


@pytest.mark.parametrize("path", ["~nobody-has-this-name/data", "a\0b"])
def test_a_folder_that_cannot_be_one(path: str) -> None:
    with pytest.raises(SettingsError, match=r"DATA_DIR=.*must be a path"):
        load_settings({"DATA_DIR": path})


def test_a_relative_folder_is_in_the_folder_of_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command in another folder finds the data of the site."""
    monkeypatch.chdir(tmp_path)
    assert load_settings({}).data_path == ROOT / "data"
    assert load_settings({"DATA_DIR": "../room"}).data_path == ROOT.parent / "room"
    assert load_settings({"DATA_DIR": "/srv/data"}).data_path == Path("/srv/data")


def test_o06_a_repr_shows_no_secret() -> None:
    """O06."""
    assert "hush" not in repr(Settings(secret_key="hush", mongo_uri="mongodb://u:hush@h/"))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"SITE_NAME=\xff")
    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        read_dotenv(tmp_path / ".env")
    read_dotenv(tmp_path / "none")


def test_a_file_fills_in_what_is_unset_or_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("DATA_DIR=/srv/data\nSITE_NAME=Tea\nLOG_LEVEL=\n")
    for name, text in {"DATA_DIR": "", "SITE_NAME": "Biscuits", "LOG_LEVEL": "ERROR"}.items():
        monkeypatch.setenv(name, text)
    read_dotenv(tmp_path / ".env")
    settings = load_settings(os.environ)
    assert (settings.data_dir, settings.site_name, settings.log_level) == ("/srv/data", "Biscuits", "ERROR")


def test_a_misspelt_setting_is_named() -> None:
    names = (
        "ALLOWED_HOST",
        "TRUSTED_PROXY",
        "ALLOWED_HOSTS",
        "MONGODB_URI",
        "HOME",
        "PATH",
        "SECRET",
        "FLASK_APP",
        "PWD",
    )
    assert list(find_misspelt(dict.fromkeys(names, "1"))) == [
        "ALLOWED_HOST is not a setting and is ignored. Is ALLOWED_HOSTS meant?",
        "MONGODB_URI is not a setting and is ignored. Is MONGO_URI meant?",
        "TRUSTED_PROXY is not a setting and is ignored. Is TRUSTED_PROXIES meant?",
    ]


@pytest.mark.parametrize(
    ("changes", "is_public"),
    [
        ({}, False),
        ({"ip": "localhost"}, False),
        ({"ip": "::1"}, False),
        ({"ip": "127.0.0.2"}, False),
        ({"trusted_proxies": 1}, True),
        ({"ip": "0.0.0.0"}, True),
        ({"ip": "::"}, True),
        ({"ip": "203.0.113.1"}, True),
        ({"ip": "chat.example"}, True),
    ],
)
def test_public_and_local_addresses(changes: dict[str, Any], is_public: bool) -> None:
    assert Settings(**changes).is_public is is_public


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc]
    assert len(msgspec.structs.fields(Settings)) > 30


@pytest.mark.parametrize("name", ["DATA_DIR", "SITE_NAME", "PORT", "ALLOWED_HOSTS"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_value_in_quotation_marks_is_refused(name: str, quote: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}=.*without quotation marks"):
        load_settings({name: f"{quote}5000{quote}"})
