"""Flask's own configuration, made from the settings."""

from datetime import timedelta

from flask import Flask

from chatroom.base.config import Settings
from chatroom.web.kit.cookies import CookieSessions

MAX_FIELDS = 120  # the roles of a page of members, each with the role before


def configure(app: Flask, settings: Settings) -> None:
    """Configure sessions, forms, sizes and hosts."""
    app.session_interface = CookieSessions()
    app.config.from_mapping(
        SECRET_KEY=settings.secret_key or None,
        SECRET_KEY_FALLBACKS=words_of(settings.secret_key_fallbacks) or None,
        TRUSTED_HOSTS=words_of(settings.allowed_hosts) or None,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(minutes=settings.session_lifetime_minutes),
        MAX_CONTENT_LENGTH=settings.max_request_bytes or None,
        MAX_FORM_MEMORY_SIZE=settings.max_request_bytes or None,
        MAX_FORM_PARTS=MAX_FIELDS,
        WTF_CSRF_TIME_LIMIT=None,  # valid as long as the session, because a form may stay open for days
        WTF_CSRF_SSL_STRICT=False,  # privacy tools remove the Referer; `security` checks Sec-Fetch-Site instead
    )


def words_of(text: str) -> list[str]:
    """Split the text of a setting at its commas."""
    return [word for part in text.split(",") if (word := part.strip())]
