"""Codes: secrets that can be used a limited number of times until they expire; `codes_store.py` checks both.

A secret is shown once, when it is created. Only its hash is stored.
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

SECRET_BYTES = 24


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A code without its secret; `id` is the hash of the secret. `about` has its purpose and its creator."""

    id: str
    uses_left: int
    created_at: datetime
    expires_at: datetime
    about: Mapping[str, str | int]


def make_code(
    now: datetime,
    lifetime: timedelta,
    about: Mapping[str, str | int],
    *,
    uses: int = 1,
    secret_bytes: int = SECRET_BYTES,
) -> tuple[str, Code]:
    """Create a secret, and the code to store for it."""
    secret = secrets.token_urlsafe(secret_bytes)
    return secret, Code(id=hash_of(secret), uses_left=uses, created_at=now, expires_at=now + lifetime, about=about)


def hash_of(secret: str) -> str:
    """Return the stored hash of a secret: SHA-256 is enough, because secrets are random and long."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
