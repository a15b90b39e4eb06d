"""The settings: read once from the environment, checked, and passed down.

The server does not start with a wrong value. The error names the setting and the allowed values. It also shows the
wrong value, unless the setting is secret.
"""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from dotenv import dotenv_values
from msgspec import Meta

from chatroom.base.errors import SettingsError
from chatroom.base.setting_checks import IN_MEMORY, MIN_SECRET_LENGTH, QUOTED, SECRETS, parse_setting

_ROOT = Path(__file__).resolve().parents[2]
LOCAL = {"localhost", "::1"}

MOST_FILES = 50
"""The most files of a message, whatever the settings say."""

Count = Annotated[int, Meta(ge=0)]
Limit = str
"""A rate limit such as `10 per 15 minutes`, several limits separated by `;`, or `0` for no limit."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. The environment variables have the same names in capitals (explained in `.env.example`)."""

    secret_key: str = ""
    secret_key_fallbacks: str = ""
    ip: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 5000
    mongo_uri: str = ""
    mongo_db: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,38}$")] = "chatroom"
    data_dir: str = "data"
    upgrade: Literal["no", "yes"] = "no"
    web_concurrency: Annotated[int, Meta(ge=1, le=64)] = 1
    registration: Literal["open", "invite", "closed"] = "open"
    room_creation: Literal["members", "administrators"] = "members"
    site_name: Annotated[str, Meta(min_length=1, max_length=60)] = "Chatroom"
    trusted_proxies: Annotated[int, Meta(ge=0, le=5)] = 0
    allowed_hosts: str = ""
    webhook_allowed_hosts: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "json", "text"] = "auto"
    metrics_token: str = ""
    metrics_networks: str = ""

    session_idle_minutes: Annotated[int, Meta(ge=1, le=5_256_000)] = 14 * 24 * 60
    session_lifetime_minutes: Annotated[int, Meta(ge=1, le=5_256_000)] = 90 * 24 * 60
    bcrypt_rounds: Annotated[int, Meta(ge=4, le=16)] = 12
    login_limit_account: Limit = "10 per 15 minutes"
    login_limit_address: Limit = "100 per 15 minutes"
    register_limit_address: Limit = "60 per hour"
    post_limit_account: Limit = "10 per second"
    post_limit_address: Limit = "100 per second"
    report_limit_account: Limit = "10 per hour"
    search_limit_account: Limit = "30 per 10 seconds"
    export_limit_account: Limit = "20 per hour"

    upload_limit_account: Limit = "60 per minute; 600 per hour"
    upload_limit_address: Limit = "600 per minute"
    push_contact: Annotated[str, Meta(pattern=r"^(mailto:.+@.+|https://.+)$")] = "mailto:chatroom@example.org"

    max_message_length: Annotated[int, Meta(ge=0, le=20_000)] = 4000
    max_frame_bytes: Annotated[int, Meta(ge=0, le=16_000_000)] = 65_536
    max_request_bytes: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 262_144
    max_file_bytes: Annotated[int, Meta(ge=0, le=2_000_000_000)] = 25_000_000
    max_files_per_message: Annotated[int, Meta(ge=0, le=MOST_FILES)] = 10
    max_total_file_bytes: Count = 10_000_000_000
    max_connections: Count = 10_000
    max_connections_per_user: Count = 20
    max_connections_per_address: Count = 500
    max_http_connections_per_address: Count = 1024
    max_held_bytes: Count = 256_000_000
    max_held_bytes_per_address: Count = 64_000_000
    max_held_bytes_per_user: Count = 16_000_000
    max_rooms_per_connection: Count = 50
    max_rooms_per_user: Count = 50
    max_waiting_drafts: Count = 5000
    tail_messages: Annotated[int, Meta(ge=1, le=100_000)] = 2000
    tail_bytes: Annotated[int, Meta(ge=1000)] = 4_000_000
    history_page: Annotated[int, Meta(ge=1, le=500)] = 50
    socketio: Annotated[int, Meta(ge=0, le=1)] = 1
    send_buffer_bytes: Annotated[int, Meta(ge=4096)] = 131_072
    request_threads: Annotated[int, Meta(ge=2, le=200)] = 40

    store_timeout_seconds: Annotated[float, Meta(gt=0, le=60)] = 5.0
    polling_milliseconds: Annotated[int, Meta(ge=20, le=60_000)] = 500
    presence_lease_seconds: Annotated[int, Meta(ge=3, le=600)] = 30

    def __repr__(self) -> str:
        """Hide the secrets from logs."""
        return "Settings(…)"

    @property
    def is_embedded(self) -> bool:
        """Whether the server runs its own mongod."""
        return not self.mongo_uri

    @property
    def most_files(self) -> int:
        """The most files of a message."""
        return self.max_files_per_message or MOST_FILES

    @property
    def has_metrics(self) -> bool:
        """Whether somebody may read `/metrics`."""
        return bool(self.metrics_token or self.metrics_networks)

    @property
    def is_public(self) -> bool:
        """Whether strangers can reach the site: it listens beyond this machine, or is behind a proxy."""
        return self.trusted_proxies > 0 or not (self.ip in LOCAL or self.ip.startswith("127."))

    @property
    def is_in_memory(self) -> bool:
        """Whether the database is mongomock, for unit tests."""
        return self.mongo_uri.startswith(IN_MEMORY)

    @property
    def data_path(self) -> Path:
        """The folder of the embedded database and of the generated secret key; a relative path starts at the site."""
        return (_ROOT / Path(self.data_dir).expanduser()).resolve()


def read_dotenv(path: Path) -> None:
    """Load the settings of a file (if it exists) into the environment; raise `SettingsError` if it cannot be read.

    The environment has precedence. A variable that is empty there counts as unset.
    """
    try:
        values = dotenv_values(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    for name, text in values.items():
        os.environ[name] = os.environ.get(name, "") or text or ""


def find_misspelt(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning for each variable whose name is nearly the name of a setting."""
    names = [field.name.upper() for field in msgspec.structs.fields(Settings)]
    for name in sorted(environ.keys() - names):
        for meant in get_close_matches(name, names, n=1, cutoff=0.85):
            yield f"{name} is not a setting and is ignored. Is {meant} meant?"


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check the settings; raise `SettingsError` for the first wrong setting."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        name, text = _read(field.name.upper(), environ)
        if text is not None:
            values[field.name] = parse_setting(name, text, field.type)
    settings = Settings(**values)
    _check_secret(settings)
    _check_folder(settings)
    return settings


def _read(name: str, environ: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the name and text of a variable. `SECRET` is the older name of `SECRET_KEY`."""
    if name == "SECRET_KEY" and not environ.get(name):
        name = "SECRET" if environ.get("SECRET") else name
    text = environ.get(name, "").strip()
    if name not in SECRETS and QUOTED.fullmatch(text):  # systemd and python-dotenv remove quotes, docker does not
        raise SettingsError(f"{name}={text!r} is not allowed: write the value without quotation marks")
    return name, text or None


def _check_secret(settings: Settings) -> None:
    secret = settings.secret_key
    if not secret:
        if settings.mongo_uri and not settings.is_in_memory:
            raise SettingsError(
                "SECRET_KEY is missing: with a MONGO_URI of your own, set it to a long random text, "
                "for example the output of: python3 -c 'import secrets; print(secrets.token_hex(32))'"
            )
    elif _bytes(secret) < MIN_SECRET_LENGTH:
        raise SettingsError(f"SECRET_KEY (or SECRET) is too short: it needs at least {MIN_SECRET_LENGTH} bytes")
    if settings.metrics_token and _bytes(settings.metrics_token) < MIN_SECRET_LENGTH:
        raise SettingsError(f"METRICS_TOKEN is too short: it needs at least {MIN_SECRET_LENGTH} bytes")
    earlier = [word.strip() for word in settings.secret_key_fallbacks.split(",")]
    if any(0 < _bytes(word) < MIN_SECRET_LENGTH for word in earlier):
        raise SettingsError(f"SECRET_KEY_FALLBACKS is not allowed: each needs at least {MIN_SECRET_LENGTH} bytes")


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _check_folder(settings: Settings) -> None:
    try:
        settings.data_path  # noqa: B018  this call makes the path
    except (OSError, RuntimeError, ValueError) as error:
        raise SettingsError(f"DATA_DIR={settings.data_dir!r} is not allowed: {error} It must be a path") from error
