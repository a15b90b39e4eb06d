"""Who may do what: every route and method, every frame, and everybody who may come. What is not in the tables fails.

The administrator rules over the site and is no member of the den: nobody reads a room who is not in it. W09, W01, S03.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any, get_args

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from chatroom.live import engine, protocol
from chatroom.people.profiles import Profile
from tests.conftest import MakeApp
from tests.security.live import Socket, served
from tests.security.people import DEN, KEEPERS, WHO, Cast, Person, content_of
from tests.visitors import PASSWORD

ALL, HIDDEN = "everybody", "a secret"
KEEP_ORDER = "/people/<user_id>/<any(mute, unmute, ban, unban, end_sessions):act>"
REPORT = "/chatroom/<slug>/<int:sequence>/report"
REPORTED = "303 /chatroom/den/2/report"
PERSON = "303 /people/1"
LOGIN, ACCOUNT, LOBBY, IN_DEN = "303 /login", "303 /account", "303 /chatroom/lobby", "303 /chatroom/den"
AT_DEN = "303 /chatroom/den/2"
ABOUT, MEMBERS = "303 /rooms/den/about", "303 /rooms/den/members"
GENERAL, RULES, DANGER = "303 /rooms/den/general", "303 /rooms/den/rules", "303 /rooms/den/danger"
LATER = "303 /later"

STATUS = "303 /account/status"
PREFERENCES = "303 /account/notifications"
ENDPOINT = "https://1.1.1.1/push"

TYPED: dict[str, dict[str, str]] = {
    "/register": {
        "username": "newcomer",
        "display_name": "Newcomer",
        "password": "a good long one",
        "password_again": "a good long one",
        "invite": "",
    },
    "/login": {"username": "carol", "password": PASSWORD},
    "/account/password": {
        "current_password": PASSWORD,
        "password": "a good long one",
        "password_again": "a good long one",
    },
    "/chatroom/<slug>/webhooks": {"kind": "incoming", "name": "CI"},
    "/account/tokens": {"label": "bot", "scopes": "read", "rooms": "", "days": "7", "password": PASSWORD},
    "/admin/registration": {"registration": "closed"},
    "/admin/invites": {"uses": "1", "days": "7"},
    "/admin/name": {"name": "The Shed", "about": "For the gardeners."},
    "/admin/rooms/<slug>/archive": {"archived": "yes", "reason": "unused"},
    "/admin/rooms/<slug>/appoint": {"username": "mallory", "reason": "nobody else"},
    "/admin/holding": {"first": "3"},
    "/approval/<held_id>": {"act": "approve"},
    "/account/profile": {**dict.fromkeys(Profile.__struct_fields__, ""), "display_name": "Newcomer"},
    "/account/status": {"emoji": "", "text": "At lunch", "ends": "1h", "day": ""},
    "/account/undisturbed": {"undisturbed": "1h", "last_day": ""},
    "/account/quiet-hours": {"start": "", "end": ""},
    "/account/delete": {"way": "keep", "confirmation": "<username>", "password": PASSWORD},
    "/people/<user_id>/delete": {"way": "keep", "confirmation": "mallory", "reason": ""},
    REPORT: {"reason": "rude"},
    "/reports/<report_id>": {"dismiss": "1"},
    KEEP_ORDER: {"reason": "spam", "duration": "1h"},
    "/people/<user_id>/role": {"role": "moderator"},
    "/chatroom": {"text": "hello"},
    "/rooms/new": {"title": "Nook", "topic": "", "kind": "public"},
    "/rooms/<slug>/general": {"title": "New", "topic": ""},
    "/rooms/<slug>/rules": {"slow_seconds": "6", "retention_days": "0"},
    "/rooms/<slug>/hand-over": {"username": "mallory"},
    "/rooms/<slug>/archive": {"archived": "yes"},
    "/rooms/<slug>/members": {"username": "mallory"},
    "/rooms/<slug>/arrange": {"change": "star"},
    "/later/<saved_id>": {"when": "1 hour"},
    "/chatroom/<slug>/<int:sequence>/later": {"when": "1 hour"},
    "/rooms/<slug>/invites": {"uses": "1", "hours": "1"},
    "/chatroom/<slug>": {"text": "hello"},
    "/chatroom/<slug>/<int:sequence>/react": {"emoji": "🎉"},
    "/chatroom/<slug>/<int:sequence>/pin": {"on": "true"},
    "/chatroom/<slug>/<int:sequence>/edit": {"text": "other words", "revision": "1"},
    "/chatroom/<slug>/notify": {"notify": "all"},
}
"""What each form is filled in with: whatever is refused is refused to the person, not for what they typed."""

QUERIES = {"/search": "?q=secret", "/api/search": "?q=secret"}
"""What is asked for, where a request has to say it: here, the words of the den."""

BODIES: dict[str, dict[str, Any]] = {
    "/api/rooms/<slug>/messages/<message_id>/reactions": {"emoji": "🎉"},
    "/api/rooms/<slug>/messages/<message_id>/pin": {},
    "/api/rooms": {"title": "Nook"},
    "/api/rooms/<slug>": {"topic": "Tea"},
    "/api/rooms/<slug>/arrange": {"is_starred": True},
    "/api/rooms/<slug>/members": {"username": "mallory"},
    "/api/later": {"room": DEN.slug, "sequence": 2},
    "/api/later/<saved_id>": {"remind": "1 hour"},
    "/api/rooms/<slug>/read": {"sequence": 1},
    "/api/rooms/<slug>/unread": {"sequence": 1},
    "/api/push/subscriptions": {"endpoint": ENDPOINT, "keys": {"p256dh": "p" * 87, "auth": "a" * 22}},
    "/api/push/subscriptions/end": {"endpoint": ENDPOINT},
    "/api/account/status": {"text": "At lunch"},
}
"""What is sent to the API, where it is not a text."""

READS = {"GET", "OPTIONS"}
"""These change nothing that decides about the next one who asks: all may come to the same application."""

# The answers, in the order of WHO. Pages do not take tokens: to them, a program is anonymous.
ROUTES: dict[tuple[str, str], tuple[str, ...]] = {
    #                                   anonymous outsider member  author  admin.  token  ended  revoked
    ("/", "GET"):                      ("200", *["303 /chatroom"] * 4, "200", "200", "200"),
    ("/static/<path:filename>", "GET"): ("200",) * 8,
    ("/livez", "GET"):                 ("200",) * 8,
    ("/readyz", "GET"):                ("200",) * 8,
    ("/metrics", "GET"):               ("404",) * 8,
    ("/register", "GET"):              ("200",) * 8,
    ("/register", "POST"):             ("303 /chatroom",) * 8,
    ("/login", "GET"):                 ("200",) * 8,
    ("/login", "POST"):                ("303 /chatroom",) * 8,
    ("/logout", "POST"):               ("303 /",) * 8,
    ("/account", "GET"):               (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/account/password", "POST"):     (LOGIN, ACCOUNT, ACCOUNT, ACCOUNT, ACCOUNT, LOGIN, LOGIN, LOGIN),
    ("/account/sessions/<session_id>/end", "POST"): (LOGIN, "404", "404", ACCOUNT, "404", LOGIN, LOGIN, LOGIN),
    ("/account/sessions/end-others", "POST"):       (LOGIN, ACCOUNT, ACCOUNT, ACCOUNT, ACCOUNT, LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/webhooks", "GET"):   (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/webhooks", "POST"):  (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/webhooks/<hook_id>/remove", "POST"): (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/hooks/<secret>", "POST"):       ("404",) * 8,
    ("/account/tokens", "GET"):        (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/account/tokens", "POST"):       (LOGIN, "201", "201", "201", "201", LOGIN, LOGIN, LOGIN),
    ("/account/tokens/<session_id>/end", "POST"): (LOGIN, "404", "404", "404", "404", LOGIN, LOGIN, LOGIN),
    ("/account/notifications", "GET"): (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/account/notifications", "POST"): (LOGIN, *[PREFERENCES] * 4, LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/notify", "POST"): (LOGIN, "404", PREFERENCES, PREFERENCES, "404", LOGIN, LOGIN, LOGIN),
    ("/manifest.webmanifest", "GET"):  ("200",) * 8,
    ("/service-worker.js", "GET"):     ("200",) * 8,
    ("/api/push/key", "GET"):          ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/push/key", "OPTIONS"):      ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/push/subscriptions", "POST"):        ("401", "201", "201", "201", "201", "403", "401", "401"),
    ("/api/push/subscriptions", "OPTIONS"):     ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/push/subscriptions/end", "POST"):    ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/push/subscriptions/end", "OPTIONS"): ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/admin", "GET"):                 (LOGIN, "404", "404", "404", "200", LOGIN, LOGIN, LOGIN),
    ("/admin/name", "POST"):           (LOGIN, "404", "404", "404", "303 /admin", LOGIN, LOGIN, LOGIN),
    ("/admin/first-steps/hide", "POST"): (LOGIN, "404", "404", "404", "303 /", LOGIN, LOGIN, LOGIN),
    ("/admin/people", "GET"):          (LOGIN, "404", "404", "404", "200", LOGIN, LOGIN, LOGIN),
    ("/admin/rooms", "GET"):           (LOGIN, "404", "404", "404", "200", LOGIN, LOGIN, LOGIN),
    ("/admin/rooms/<slug>", "GET"):    (LOGIN, "404", "404", "404", "200", LOGIN, LOGIN, LOGIN),
    ("/admin/rooms/<slug>/archive", "POST"): (LOGIN, "404", "404", "404", "303 /admin/rooms/den", LOGIN, LOGIN, LOGIN),
    ("/admin/rooms/<slug>/appoint", "POST"): (LOGIN, "404", "404", "404", "404", LOGIN, LOGIN, LOGIN),
    ("/admin/joining", "GET"):         (LOGIN, "404", "404", "404", "200", LOGIN, LOGIN, LOGIN),
    ("/admin/registration", "POST"):   (LOGIN, "404", "404", "404", "303 /admin/joining", LOGIN, LOGIN, LOGIN),
    ("/admin/holding", "POST"):        (LOGIN, "404", "404", "404", "303 /admin/joining", LOGIN, LOGIN, LOGIN),
    ("/admin/invites", "POST"):        (LOGIN, "404", "404", "404", "201", LOGIN, LOGIN, LOGIN),
    ("/admin/invites/<invite_id>/revoke", "POST"): (LOGIN, "404", "404", "404", "404", LOGIN, LOGIN, LOGIN),
    ("/admin/audit", "GET"):           (LOGIN, "404", "404", "404", "200", LOGIN, LOGIN, LOGIN),
    ("/account/profile", "GET"):       (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/account/profile", "POST"):      (LOGIN, PERSON, PERSON, PERSON, PERSON, LOGIN, LOGIN, LOGIN),
    ("/account/status", "GET"):        (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/account/status", "POST"):       (LOGIN, STATUS, STATUS, STATUS, STATUS, LOGIN, LOGIN, LOGIN),
    ("/account/undisturbed", "POST"):  (LOGIN, STATUS, STATUS, STATUS, STATUS, LOGIN, LOGIN, LOGIN),
    ("/account/quiet-hours", "POST"):  (LOGIN, STATUS, STATUS, STATUS, STATUS, LOGIN, LOGIN, LOGIN),
    ("/api/cases", "GET"):     ("401", "404", "404", "404", "200", "403", "401", "401"),
    ("/api/cases", "OPTIONS"): ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/account/status", "PUT"):     ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/account/status", "OPTIONS"): ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/rooms/<slug>/people", "GET"):     ("401", "404", "200", "200", "404", "200", "401", "401"),
    ("/api/rooms/<slug>/people", "OPTIONS"): ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/people/<user_id>", "GET"):     ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/people/<user_id>", "OPTIONS"): ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/people/<user_id>", "GET"):      (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    (KEEP_ORDER, "POST"):              (LOGIN, "403", "403", "403", PERSON, LOGIN, LOGIN, LOGIN),
    ("/people/<user_id>/role", "POST"): (LOGIN, "403", "403", "403", PERSON, LOGIN, LOGIN, LOGIN),
    ("/people/<user_id>/reset-link", "POST"): (LOGIN, "403", "403", "403", "201", LOGIN, LOGIN, LOGIN),
    ("/account/delete", "GET"):        (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    # The administrator is the only one, and stays.
    ("/account/delete", "POST"):       (LOGIN, LOGIN, LOGIN, LOGIN, "409", LOGIN, LOGIN, LOGIN),
    ("/people/<user_id>/delete", "GET"):  (LOGIN, "403", "403", "403", "200", LOGIN, LOGIN, LOGIN),
    ("/people/<user_id>/delete", "POST"): (LOGIN, "403", "403", "403", "303 /admin/people", LOGIN, LOGIN, LOGIN),
    ("/reset/<secret>", "GET"):        ("404",) * 8,
    ("/reset/<secret>", "POST"):       ("404",) * 8,
    ("/reports", "GET"):               (LOGIN, "404", "404", "404", "200", LOGIN, LOGIN, LOGIN),
    ("/reports/<report_id>", "POST"):  (LOGIN, "404", "404", "404", "303 /reports", LOGIN, LOGIN, LOGIN),
    ("/approval", "GET"):              (LOGIN, "404", "404", "404", "200", LOGIN, LOGIN, LOGIN),
    # In the den, its own moderators decide: the administrator is not among them.
    ("/approval/<held_id>", "POST"):   (LOGIN, "404", "404", "404", "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/held/<held_id>/withdraw", "POST"): (LOGIN, "404", "404", IN_DEN, "404", LOGIN, LOGIN, LOGIN),
    ("/api/rooms/<slug>/held", "GET"):         ("401", "404", "200", "200", "404", "200", "401", "401"),
    ("/api/rooms/<slug>/held", "OPTIONS"):     ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/rooms/<slug>/held/<held_id>", "DELETE"):  ("401", "404", "404", "200", "404", "404", "401", "401"),
    ("/api/rooms/<slug>/held/<held_id>", "OPTIONS"): ("401", "200", "200", "200", "200", "200", "401", "401"),
    (REPORT, "GET"):                   (LOGIN, "404", "200", "403", "404", LOGIN, LOGIN, LOGIN),
    (REPORT, "POST"):                  (LOGIN, "404", REPORTED, "403", "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom", "GET"):              (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/chatroom", "POST"):             (LOGIN, LOBBY, LOBBY, LOBBY, LOBBY, LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>", "GET"):       (LOGIN, "404", "200", "200", "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>", "POST"):      (LOGIN, "404", IN_DEN, IN_DEN, "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/<int:sequence>", "GET"): (LOGIN, "404", "200", "200", "404", LOGIN, LOGIN, LOGIN),
    # In the den, its own moderators may see it: the administrator of the site is not among them.
    ("/chatroom/<slug>/<int:sequence>/changes", "GET"): (LOGIN, "404", "403", "200", "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/<int:sequence>/edit", "POST"):   (LOGIN, "404", "403", AT_DEN, "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/<int:sequence>/react", "POST"):  (LOGIN, "404", AT_DEN, AT_DEN, "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/<int:sequence>/pin", "POST"):    (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/<int:sequence>/unread", "POST"): (LOGIN, "404", AT_DEN, AT_DEN, "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/<int:sequence>/delete", "POST"): (LOGIN, "404", "403", AT_DEN, "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/messages", "GET"):      ("401", "404", "200", "200", "404", "401", "401", "401"),
    # Only you have a list: an entry of somebody else is not there.
    ("/later", "GET"):                 (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/later/<saved_id>", "POST"):     (LOGIN, "404", "404", "404", "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/<int:sequence>/later", "POST"): (LOGIN, "404", LATER, LATER, "404", LOGIN, LOGIN, LOGIN),
    ("/api/later", "GET"):             ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/later", "POST"):            ("401", "404", "200", "200", "404", "403", "401", "401"),
    ("/api/later", "OPTIONS"):         ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/later/<saved_id>", "PATCH"):   ("401", "404", "404", "404", "404", "403", "401", "401"),
    ("/api/later/<saved_id>", "DELETE"):  ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/later/<saved_id>", "OPTIONS"): ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/rooms", "GET"):                 (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/rooms/new", "GET"):             (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/rooms/new", "POST"):            (LOGIN, *["303 /chatroom/nook"] * 4, LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/join", "POST"):    (LOGIN, "404", "404", "404", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/settings", "GET"):  (LOGIN, "404", ABOUT, ABOUT, "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/about", "GET"):    (LOGIN, "404", "200", "200", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/general", "GET"):  (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/general", "POST"): (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/rules", "GET"):    (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/rules", "POST"):   (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/danger", "GET"):   (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/hand-over", "POST"): (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/roles", "POST"):   (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/members", "GET"):  (LOGIN, "404", "200", "200", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/arrange", "GET"):  (LOGIN, "404", "200", "200", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/arrange", "POST"): (LOGIN, "404", "303 /", "303 /", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/record", "GET"):   (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/archive", "POST"): (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/leave", "POST"):   (LOGIN, "404", "303 /rooms", "303 /rooms", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/members", "POST"): (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/members/<user_id>/remove", "POST"): (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/invite", "GET"):                (LOGIN, *["200"] * 3, "303 /rooms/lobby/invites", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/invites", "GET"):  (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/invites", "POST"): (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/rooms/<slug>/invites/<invite_id>/end", "POST"):  (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/join/<code>", "GET"):           ("404",) * 8,
    ("/join/<code>", "POST"):          (LOGIN, "404", "404", "404", "404", LOGIN, LOGIN, LOGIN),
    ("/people", "GET"):                (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/people", "POST"):               (LOGIN, "400", "400", "400", "400", LOGIN, LOGIN, LOGIN),
    ("/api/rooms", "GET"):             ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/rooms", "POST"):            ("401", "201", "201", "201", "201", "403", "401", "401"),
    ("/api/rooms/<slug>", "PATCH"):    ("401", "404", "403", "403", "404", "403", "401", "401"),
    ("/api/rooms/<slug>", "OPTIONS"):  ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/rooms/<slug>/join", "POST"):     ("401", "404", "200", "200", "404", "403", "401", "401"),
    ("/api/rooms/<slug>/join", "OPTIONS"):  ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/rooms/<slug>/leave", "POST"):    ("401", "404", "200", "200", "404", "403", "401", "401"),
    ("/api/rooms/<slug>/leave", "OPTIONS"): ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/rooms", "OPTIONS"):         ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/chatroom/<slug>/export", "GET"):        (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/clear", "GET"):         (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/chatroom/<slug>/clear", "POST"):        (LOGIN, "404", "403", "403", "404", LOGIN, LOGIN, LOGIN),
    ("/account/data", "GET"):          (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/search", "GET"):                (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/api/search", "GET"):            ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/search", "OPTIONS"):        ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/rooms/<slug>/arrange", "POST"):     ("401", "404", "200", "200", "404", "403", "401", "401"),
    ("/api/rooms/<slug>/arrange", "OPTIONS"):  ("401", "200", "200", "200", "200", "403", "401", "401"),
    ("/api/rooms/<slug>/read", "POST"):        ("401", "404", "200", "200", "404", "200", "401", "401"),
    ("/api/rooms/<slug>/read", "OPTIONS"):     ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/rooms/<slug>/unread", "POST"):      ("401", "404", "200", "200", "404", "200", "401", "401"),
    ("/api/rooms/<slug>/unread", "OPTIONS"):   ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/rooms/<slug>/messages", "GET"):     ("401", "404", "200", "200", "404", "200", "401", "401"),
    ("/api/rooms/<slug>/messages", "POST"):    ("401", "404", "201", "201", "404", "201", "401", "401"),
    ("/api/rooms/<slug>/messages/<message_id>", "GET"):     ("401", "404", "200", "200", "404", "200", "401", "401"),
    ("/api/rooms/<slug>/messages/<message_id>", "PATCH"):   ("401", "404", "403", "200", "404", "403", "401", "401"),
    ("/api/rooms/<slug>/messages/<message_id>", "DELETE"):  ("401", "404", "403", "200", "404", "403", "401", "401"),
    ("/api/rooms/<slug>/messages/<message_id>", "OPTIONS"): ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/rooms/<slug>/messages", "OPTIONS"): ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/rooms/<slug>/files", "POST"):       ("401", "404", "201", "201", "404", "201", "401", "401"),
    ("/api/rooms/<slug>/files", "OPTIONS"):    ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/avatars/<user_id>/<version>", "GET"): (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/avatars/<version>.css", "GET"):       (LOGIN, "200", "200", "200", "200", LOGIN, LOGIN, LOGIN),
    ("/account/avatar", "POST"):       (LOGIN, "400", "400", "400", "400", LOGIN, LOGIN, LOGIN),
    ("/files/<file_id>/<name>", "GET"):     (LOGIN, "404", "200", "200", "404", "200", LOGIN, "401"),
    ("/files/<file_id>/view", "GET"):       (LOGIN, "404", "200", "200", "404", "200", LOGIN, "401"),
    ("/files/<file_id>/thumbnail", "GET"):  (LOGIN, "404", "200", "200", "404", "200", LOGIN, "401"),
    ("/api/rooms/<slug>/messages/<message_id>/reactions", "POST"): (
        "401", "404", "200", "200", "404", "200", "401", "401"),
    ("/api/rooms/<slug>/messages/<message_id>/reactions", "OPTIONS"): (
        "401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/rooms/<slug>/messages/<message_id>/pin", "POST"): (
        "401", "404", "403", "403", "404", "403", "401", "401"),
    ("/api/rooms/<slug>/messages/<message_id>/pin", "OPTIONS"): (
        "401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/rooms/<slug>/preview", "POST"):     ("401", "404", "200", "200", "404", "200", "401", "401"),
    ("/api/rooms/<slug>/preview", "OPTIONS"):  ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/rooms/<slug>/pins", "GET"):         ("401", "404", "200", "200", "404", "200", "401", "401"),
    ("/api/rooms/<slug>/pins", "OPTIONS"):     ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/rooms/<slug>/members", "GET"):      ("401", "404", "200", "200", "404", "200", "401", "401"),
    ("/api/rooms/<slug>/members", "POST"):     ("401", "404", "403", "403", "404", "403", "401", "401"),
    ("/api/rooms/<slug>/members", "OPTIONS"):  ("401", "200", "200", "200", "200", "200", "401", "401"),
    ("/api/openapi.json", "GET"):      ("200",) * 8,
    ("/api/openapi.json", "OPTIONS"):  ("200",) * 8,
    ("/api/docs", "GET"):              ("200",) * 8,
    ("/api/docs", "OPTIONS"):          ("200",) * 8,
}  # fmt: skip

# What a moderator and an administrator of the den may there, where it is more than a member may.
KEPT: dict[tuple[str, str], tuple[str, str]] = {
    #                                                        moderator  administrator
    ("/api/rooms/<slug>/messages/<message_id>", "DELETE"):     ("200", "200"),
    ("/api/rooms/<slug>/messages/<message_id>/pin", "POST"):   ("200", "200"),
    ("/api/rooms/<slug>", "PATCH"):                            ("403", "200"),
    ("/api/rooms/<slug>/leave", "POST"):                       ("200", "403"),
    ("/chatroom/<slug>/<int:sequence>/delete", "POST"):        ("303 /chatroom/den/2", "303 /chatroom/den/2"),
    ("/chatroom/<slug>/<int:sequence>/pin", "POST"):           ("303 /chatroom/den/2", "303 /chatroom/den/2"),
    ("/chatroom/<slug>/clear", "GET"):                         ("403", "200"),
    ("/chatroom/<slug>/clear", "POST"):                        ("403", "400"),
    ("/chatroom/<slug>/export", "GET"):                        ("200", "200"),
    ("/chatroom/<slug>/webhooks", "GET"):                      ("403", "200"),
    ("/chatroom/<slug>/webhooks", "POST"):                     ("403", "201"),
    ("/chatroom/<slug>/webhooks/<hook_id>/remove", "POST"):    ("403", "404"),
    ("/reports", "GET"):                                       ("200", "200"),
    ("/api/cases", "GET"):                                     ("200", "200"),
    ("/chatroom/<slug>/<int:sequence>/changes", "GET"):        ("200", "200"),
    ("/approval", "GET"):                                      ("200", "200"),
    ("/approval/<held_id>", "POST"):                           ("303 /approval", "303 /approval"),
    ("/invite", "GET"):                                        (*["303 /rooms/den/invites"] * 2,),
    ("/rooms/<slug>/invites", "GET"):                          ("200", "200"),
    ("/rooms/<slug>/archive", "POST"):                         ("403", DANGER),
    ("/rooms/<slug>/danger", "GET"):                           ("403", "200"),
    ("/rooms/<slug>/general", "GET"):                          ("403", "200"),
    ("/rooms/<slug>/general", "POST"):                         ("403", GENERAL),
    ("/rooms/<slug>/hand-over", "POST"):                       ("403", "404"),
    ("/rooms/<slug>/invites", "POST"):                         ("200", "200"),
    ("/rooms/<slug>/invites/<invite_id>/end", "POST"):         ("404", "404"),
    ("/rooms/<slug>/leave", "POST"):                           ("303 /rooms", "403"),
    ("/api/rooms/<slug>/members", "POST"):                     ("200", "200"),
    ("/rooms/<slug>/members", "POST"):                         (MEMBERS, MEMBERS),
    ("/rooms/<slug>/members/<user_id>/remove", "POST"):        ("404", "404"),
    ("/rooms/<slug>/record", "GET"):                           ("403", "200"),
    ("/rooms/<slug>/roles", "POST"):                           ("403", MEMBERS),
    ("/rooms/<slug>/rules", "GET"):                            ("403", "200"),
    ("/rooms/<slug>/rules", "POST"):                           ("403", RULES),
    ("/rooms/<slug>/settings", "GET"):                         (ABOUT, GENERAL),
}  # fmt: skip

KEPT_FRAMES = {"delete": "stored", "pin": "stored"}
"""What becomes of their frames, where it is not what becomes of a member's."""

GONE = "closed 4401"
"""What becomes of a connection whose session, or token, ends while it is open."""

# What becomes of each frame on an open connection. Those without a session have none: the handshake refuses them.
FRAMES: dict[str, tuple[str, ...]] = {
    #             anonymous outsider member author admin. token ended revoked
    "(handshake)":          ("401", "101", "101", "101", "101", "101", "401", "401"),
    "(handshake for den)":  ("401", "404", "101", "101", "404", "101", "401", "401"),
    "post":     ("401", "not_found", "stored", "stored", "not_found", "stored", GONE, GONE),
    "edit":     ("401", "not_found", "forbidden", "stored", "not_found", "forbidden", GONE, GONE),
    "delete":   ("401", "not_found", "forbidden", "stored", "not_found", "forbidden", GONE, GONE),
    "react":    ("401", "not_found", "stored", "stored", "not_found", "stored", GONE, GONE),
    "pin":      ("401", "not_found", "forbidden", "forbidden", "not_found", "forbidden", GONE, GONE),
    "follow":   ("401", "not_found", "caught_up", "caught_up", "not_found", "caught_up", GONE, GONE),
    "read":     ("401", "not_found", "nothing", "nothing", "not_found", "nothing", GONE, GONE),
    "typing":   ("401", "not_found", "nothing", "nothing", "not_found", "nothing", GONE, GONE),
    "unfollow": ("401", "nothing", "nothing", "nothing", "nothing", "nothing", GONE, GONE),
}  # fmt: skip


def rules(app: Flask) -> set[tuple[str, str]]:
    """Every route with each of its methods; HEAD goes with GET, and OPTIONS is Flask's own, but for the API."""
    return {
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if method != "HEAD" and (method != "OPTIONS" or rule.rule.startswith("/api/"))
    }


class TestRoutes:
    def test_all_are_in_the_table(self, app: Flask) -> None:
        assert rules(app) == set(ROUTES)
        assert {len(row) for row in ROUTES.values()} == {len(WHO)}

    @pytest.mark.parametrize(("rule", "method"), ROUTES)
    def test_every_user_gets_the_answer_of_the_matrix(self, rule: str, method: str, make_app: MakeApp) -> None:
        """W09, S03, C01, M01."""
        answers = {}
        cast = Cast(make_app())
        for who in WHO:
            if method not in READS:
                cast = Cast(make_app())
            response = ask(cast, cast.person(who), rule, method)
            answers[who] = answer_of(response)
            is_named = who == "administrator" and rule.startswith("/admin/rooms")
            check_secrecy(response, is_member=who in {"member", "author", "token"}, is_named=is_named)
        assert answers == dict(zip(WHO, ROUTES[rule, method], strict=True))

    @pytest.mark.parametrize(("rule", "method"), ROUTES)
    def test_moderators_may_do_what_members_may(self, rule: str, method: str, make_app: MakeApp) -> None:
        """W09, M01."""
        answers = []
        for who in KEEPERS:
            cast = Cast(make_app())
            answers.append(answer_of(ask(cast, cast.person(who), rule, method)))
        member = ROUTES[rule, method][WHO.index("member")]
        assert tuple(answers) == KEPT.get((rule, method), (member, member))

    @pytest.mark.parametrize("rule", sorted({rule for rule, method in ROUTES if method == "GET"}))
    def test_head_reveals_no_more_than_get(self, rule: str, make_app: MakeApp) -> None:
        cast = Cast(make_app())
        for who in WHO:
            response = ask(cast, cast.person(who), rule, "HEAD")
            expected = ROUTES[rule, "GET"][WHO.index(who)]
            assert (answer_of(response), response.data) == (expected, b""), who

    @pytest.mark.parametrize("rule", sorted({rule for rule, _ in ROUTES}))
    def test_no_other_method_is_served(self, rule: str, make_app: MakeApp) -> None:
        """C03."""
        cast = Cast(make_app())
        methods = {method for each, method in ROUTES if each == rule}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - methods:
            for who in ("anonymous", "author", "token"):
                assert ask(cast, cast.person(who), rule, method).status_code == 405, (method, who)

    def test_an_ended_session_ends_for_every_form_that_is_still_open(self, make_app: MakeApp) -> None:
        """S03: a page that was loaded before the end posts nothing after it."""
        cast = Cast(make_app())
        person = cast.person("author")
        browser = cast.visitor(person)
        fields = browser.fields("/chatroom/den")
        cast.end(person)
        before = cast.services.messages.store.newest_revision(DEN.id)
        response = browser.post("/chatroom/den", data={**fields, "text": "hello"})
        assert answer_of(response) == LOGIN
        assert cast.services.messages.store.newest_revision(DEN.id) == before


def ask(cast: Cast, person: Person, rule: str, method: str) -> TestResponse:
    """One request, complete in every way but for who sends it."""
    path = (
        rule.replace("<slug>", DEN.slug)
        .replace("<int:sequence>", str(cast.message.sequence))
        .replace("<user_id>", cast.outsider.id)
        .replace("<any(mute, unmute, ban, unban, end_sessions):act>", "mute")
        .replace("<secret>", "guessed")
        .replace("<invite_id>", "guessed")
        .replace("<hook_id>", "f" * 24)
        .replace("<saved_id>", "f" * 24)
        .replace("<session_id>", cast.other_session)
        .replace("<file_id>", cast.file_id)
        .replace("<version>", cast.avatar_version)
        .replace("<name>", "a.png")
        .replace("<message_id>", cast.message.id)
        .replace("<invite_id>", "0" * 64)
        .replace("<code>", "0" * 32)
        .replace("<path:filename>", "favicon.svg")
    ) + QUERIES.get(rule, "")
    if "<report_id>" in path:
        path = path.replace("<report_id>", cast.report())
    if "<held_id>" in path:
        path = path.replace("<held_id>", cast.hold())
    browser = cast.visitor(person)
    given: dict[str, Any] = {"method": method, "headers": dict(person.headers), "buffered": True}
    if method not in {"GET", "HEAD", "OPTIONS"}:
        token = browser.fields("/login")["csrf_token"]
        given["headers"]["X-CSRFToken"] = token
        if rule.endswith("/files"):
            given["data"] = b"some words"
        elif rule.startswith("/api/"):
            given["json"] = BODIES.get(rule, {"text": "hello"})
        else:
            own = person.user.username if person.user else ""
            typed = {name: value.replace("<username>", own) for name, value in TYPED.get(rule, {}).items()}
            given["data"] = {**typed, "csrf_token": token, "client_id": "c1"}
    return browser.open(path, **given)


def answer_of(response: TestResponse) -> str:
    """The status, and where a redirect leads."""
    if response.status_code in {301, 302, 303, 307, 308}:
        path = re.sub(r"[0-9a-f]{24}", "1", response.location.partition("?")[0])
        return f"{response.status_code} {path}"
    return str(response.status_code)


def check_secrecy(response: TestResponse, *, is_member: bool, is_named: bool = False) -> None:
    """Who is no member reads nothing of the den, and not its name; those who run the site see that in one place."""
    if not is_member:
        assert HIDDEN.encode() not in response.data
        assert is_named or DEN.title.encode() not in response.data
    assert b"$2b$" not in response.data
    assert b"password_hash" not in response.data


class TestFrames:
    @pytest.fixture(autouse=True)
    def quick_ticks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(engine, "TICK_SECONDS", 0.05)

    def test_all_are_in_the_table(self) -> None:
        tags = {kind.__struct_config__.tag for kind in get_args(protocol.ClientFrame)}
        assert tags == {name for name in FRAMES if not name.startswith("(")}
        assert {len(row) for row in FRAMES.values()} == {len(WHO)}

    @pytest.mark.parametrize("frame", FRAMES)
    def test_every_user_gets_the_answer_of_the_matrix(self, frame: str, make_app: MakeApp) -> None:
        """W09, W01, S04, S03."""
        outcomes = {}
        for who in WHO:
            cast = Cast(make_app())
            outcomes[who] = asyncio.run(OUTCOMES.get(frame, after_opening)(cast, who, frame))
        assert outcomes == dict(zip(WHO, FRAMES[frame], strict=True))

    @pytest.mark.parametrize("frame", FRAMES)
    def test_moderators_may_do_what_members_may(self, frame: str, make_app: MakeApp) -> None:
        """W09, M01."""
        outcomes = []
        for who in KEEPERS:
            cast = Cast(make_app())
            outcomes.append(asyncio.run(OUTCOMES.get(frame, after_opening)(cast, who, frame)))
        member = FRAMES[frame][WHO.index("member")]
        assert outcomes == [KEPT_FRAMES.get(frame, member)] * 2

    def test_refused_requests_change_nothing(self, make_app: MakeApp) -> None:
        """W09, D05: an id that belongs to somebody else's message changes nothing either."""
        cast = Cast(make_app())

        async def attack() -> None:
            async with served(cast.app) as asgi:
                for who in ("outsider", "member", "administrator"):
                    person = cast.person(who)
                    socket = Socket(asgi, cookie=person.cookie, token=person.token)
                    assert await socket.open() == 101
                    for kind in ("edit", "delete"):
                        # The lobby is open to all: the message of the den is not in it.
                        for room in ("den", "lobby"):
                            socket.send(content_of(kind, cast) | {"room": room})
                            assert (await socket.receive("refused"))["reason"] in {"not_found", "forbidden"}
                    await socket.leave()

        asyncio.run(attack())
        message = cast.services.messages.store.newest(DEN.id, 1)[0]
        assert message == cast.message

    def test_only_the_server_s_own_pages_may_bring_the_cookie(self, make_app: MakeApp) -> None:
        """C04, C05, C06."""
        cast = Cast(make_app())
        person = cast.person("member")
        own = {"origin": "http://room.test"}
        others: list[dict[str, str]] = [
            {"origin": origin}
            for origin in (
                "https://evil.test",
                "null",
                "https://room.test",
                "http://room.test:8080",
                "http://room.test.evil.test",
                "http://evil.test/room.test",
                "HTTP://room.test",
                "http://room.test/",
                "http://ROOM.test",
                "http://room.test, http://evil.test",
                "",
            )
        ]
        others.append({"origin": "http://evil.test", "x-forwarded-host": "evil.test"})
        others.append({"origin": "http://evil.test", "forwarded": "host=evil.test"})

        async def attack() -> None:
            async with served(cast.app) as asgi:
                for headers in others:
                    socket = Socket(asgi, cookie=person.cookie, headers=headers)
                    assert await socket.open() == 403, headers
                for headers in (own, {}):
                    socket = Socket(asgi, cookie=person.cookie, headers=headers)
                    assert await socket.open() == 101
                    await socket.leave()
                # A program has a token, and no origin; a cookie beside a token that is wrong does not help it.
                token = cast.person("token").token
                socket = Socket(asgi, token=token, headers={"origin": ""})
                assert await socket.open() == 101
                await socket.leave()
                socket = Socket(asgi, cookie=person.cookie, token="chatroom_wrong")
                assert await socket.open() == 401

        asyncio.run(attack())


async def handshake(cast: Cast, who: str, frame: str) -> str:
    person = cast.person(who)
    async with served(cast.app) as asgi:
        query = {"room": "den", "after": 0} if "den" in frame else {}
        socket = Socket(asgi, cookie=person.cookie, token=person.token, query=query)
        status = await socket.open()
        if status == 101:
            await socket.leave()
        return str(status)


async def after_opening(cast: Cast, who: str, kind: str) -> str:
    """What becomes of a frame on an open connection; of the connection itself where the session ends meanwhile."""
    if who in {"ended session", "revoked token"}:
        return await after_the_end(cast, who, kind)
    person = cast.person(who)
    async with served(cast.app) as asgi:
        socket = Socket(asgi, cookie=person.cookie, token=person.token)
        status = await socket.open()
        if status != 101:
            return str(status)
        socket.send(content_of(kind, cast))
        if kind in {"unfollow", "read", "typing"}:  # not answered; the next one's refusal says that it was taken
            socket.send("a frame that is none")
        answer = await socket.receive("stored", "refused", "caught_up")
        await socket.leave()
        if answer["type"] == "refused":
            return "nothing" if answer["reason"] == "invalid" else str(answer["reason"])
        return str(answer["type"])


async def after_the_end(cast: Cast, who: str, kind: str) -> str:
    """What becomes of a connection whose session ends; a frame that is sent after it does nothing."""
    person = cast.person({"ended session": "author", "revoked token": "token"}[who])
    before = cast.services.messages.store.newest_revision(DEN.id)
    async with served(cast.app) as asgi:
        socket = Socket(asgi, cookie=person.cookie, token=person.token)
        assert await socket.open() == 101
        cast.end(person)
        assert await socket.receive() == {"type": "closed", "code": 4401}
        socket.send(content_of(kind, cast))
        await socket.leave()
    # All frames are taken until one leaves, and what is to be stored is stored until the server has ended.
    assert cast.services.messages.store.newest_revision(DEN.id) == before
    return f"closed {socket.close_code}"


OUTCOMES: dict[str, Callable[[Cast, str, str], Coroutine[Any, Any, str]]] = {
    "(handshake)": handshake,
    "(handshake for den)": handshake,
}
