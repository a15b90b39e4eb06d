"""Checks of the settings, and descriptions of the allowed values. Errors never show secrets."""

import re
from typing import Any, get_args

import msgspec
import msgspec.inspect
from limits import parse_many

from chatroom.base.addresses import networks_of
from chatroom.base.errors import SettingsError
from chatroom.base.mongo_uris import check_uri

MIN_SECRET_LENGTH = 16
SECRETS = {"SECRET_KEY", "SECRET", "SECRET_KEY_FALLBACKS", "MONGO_URI", "METRICS_TOKEN"}
IN_MEMORY = "mongomock://"
QUOTED = re.compile(r"""(["']).*\1""", re.DOTALL)
HOST = r"\.?(?:[\w-]+\.)*[\w-]+\.?"


def _several(item: str) -> re.Pattern[str]:
    """A pattern for one or more items, separated by commas."""
    return re.compile(rf"[\s,]*{item}(?:\s*,[\s,]*{item})*[\s,]*")


CHECKS = {
    "MONGO_URI": re.compile(r"(?:mongodb|mongodb\+srv|mongomock)://.*"),
    "ALLOWED_HOSTS": _several(rf"{HOST}(?::[0-9]{{0,5}})?"),  # a port is ignored
    "WEBHOOK_ALLOWED_HOSTS": _several(rf"(?:{HOST}|[0-9a-fA-F]*:[0-9a-fA-F:]*)"),
    "SITE_NAME": re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*"),
    "IP": re.compile(r"[\w.:%-]+"),
    "MONGO_DB": re.compile(r"(?!(?i:admin|local|config)$).*"),
}
LIMITS = ("LIMIT_ACCOUNT", "LIMIT_ADDRESS")
MOST_TIMES, LONGEST_WINDOW = 1_000_000_000, 366 * 24 * 3600
WORDS = {
    "SECRET_KEY": f"at least {MIN_SECRET_LENGTH} bytes",
    "METRICS_TOKEN": f"at least {MIN_SECRET_LENGTH} bytes",
    "DATA_DIR": "a path",
    "MONGO_URI": "an address that begins with mongodb://, mongodb+srv:// or mongomock://",
    "PUSH_CONTACT": "an address that begins with mailto: or https://",
    "MONGO_DB": "1 to 38 letters, digits, _ and -, and not admin, local or config",
    "ALLOWED_HOSTS": "host names, separated by commas",
    "WEBHOOK_ALLOWED_HOSTS": "host names or addresses without ports, separated by commas",
    "SITE_NAME": "1 to 60 characters",
    "IP": "an address of this machine",
    "METRICS_NETWORKS": "addresses or networks such as 10.0.0.0/8, separated by commas",
    "SECRET_KEY_FALLBACKS": f"texts of at least {MIN_SECRET_LENGTH} bytes, separated by commas",
}


def parse_setting(name: str, text: str, kind: Any) -> Any:
    """Return the typed value of a setting; raise `SettingsError`, with the allowed values, if `text` is not valid."""
    try:
        value = msgspec.convert(text, kind, strict=False)
        if name.endswith(LIMITS):
            _check_limit(text)
        if name in CHECKS and not CHECKS[name].fullmatch(text):
            raise ValueError(text)
        if name == "METRICS_NETWORKS":
            networks_of(text)
        if name == "MONGO_URI" and not text.startswith(IN_MEMORY):
            _check_uri(text)
    except ValueError as error:  # also msgspec.ValidationError
        shown = "(hidden)" if name in SECRETS else repr(text)
        raise SettingsError(f"{name}={shown} is not allowed: it must be {allowed(name, kind)}") from error
    return value


def allowed(name: str, kind: Any) -> str:
    """Return the allowed values of a setting in plain words, also for the docs."""
    words = WORDS.get(name, "")
    if name.endswith(LIMITS):
        words = "written as '10 per 15 minutes' (several separated by ';'), or 0 for no limit"
    match msgspec.inspect.type_info(kind):
        case msgspec.inspect.LiteralType(values=values):
            words = "one of " + ", ".join(map(str, get_args(kind) or values))
        case msgspec.inspect.IntType(ge=least, le=None):
            words = f"a whole number, {least} or more"
        case msgspec.inspect.IntType(ge=least, le=most):
            words = f"a whole number from {least} to {most}"
        case msgspec.inspect.FloatType(gt=above, le=most):
            words = f"a number above {above:g}, and at most {most:g}"
        case msgspec.inspect.StrType(min_length=int(shortest), max_length=int(longest)):
            words = f"{shortest} to {longest} characters"
    return words


def _check_limit(text: str) -> None:
    if text != "0" and any(
        not (0 < item.amount <= MOST_TIMES and 0 < item.get_expiry() <= LONGEST_WINDOW) for item in parse_many(text)
    ):
        raise ValueError(text)


def _check_uri(text: str) -> None:
    try:
        check_uri(text)
    except ValueError as error:
        raise SettingsError(f"MONGO_URI=(hidden) cannot be used: {error}") from None
