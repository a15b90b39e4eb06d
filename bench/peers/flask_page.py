"""A minimal Flask page of a chat room, for gunicorn's threads, with the database reads of this server's page.

Each request makes the same fourteen reads: the session and its user; the room, the membership and the member; the
room's newest revision, newest 50 messages and pinned messages; the held messages; the present users; and for the list
of rooms the memberships, their rooms, and the newest revision of each.
"""

import os
from typing import Any

from flask import Flask, abort, render_template_string, request
from pymongo import MongoClient

app = Flask(__name__)
rows = MongoClient[dict[str, Any]](os.environ["MONGO_URI"])[os.environ["MONGO_DB"]]
filling = "x" * int(os.environ.get("FILLING", "0"))

PAGE = """<!doctype html><html lang="en"><title>{{ room.title }}</title><h1>{{ user.display_name }}</h1>
<p>{{ people|length }} here</p><ol data-revision="{{ newest.revision }}">{% for message in messages %}
<li id="m{{ message.sequence }}"><b>{{ message.author.name }}</b>
<time datetime="{{ message.sent_at.isoformat() }}">{{ message.sent_at.strftime("%H:%M") }}</time>
{{ message.html|safe }}</li>{% endfor %}</ol>
<form method="post"><textarea name="text"></textarea><button>Send message</button></form><!-- {{ filling }} -->"""


@app.get("/chatroom")
def chatroom() -> str:
    """Show the newest 50 messages of the lobby to a logged-in user."""
    session = rows.sessions.find_one({}) if request.cookies.get("session") else None
    user = rows.users.find_one({})
    if session is None or user is None:
        abort(401)
    room = rows.rooms.find_one({"slug": "lobby"})
    assert room
    here, me = {"room": room["_id"]}, {"user": str(user["_id"])}
    rows.memberships.find_one(me | here)
    rows.users.find_one({"_id": user["_id"]}, {"display_name": 1, "role": 1, "muted_until": 1})
    newest = rows.messages.find_one(here, {"_id": 0, "revision": 1}, sort=[("room", -1), ("revision", -1)])
    messages = list(rows.messages.find(here).sort("sequence", -1).limit(51).batch_size(52))[-2::-1]
    list(rows.messages.find(here | {"pinned_at": {"$type": "date"}}).sort("pinned_at", 1).limit(50).batch_size(51))
    list(rows.memberships.find(me | {"role": {"$in": ["administrator", "moderator"]}}, {"room": 1}))
    list(
        rows.held.aggregate(
            [{"$match": {"state": "waiting"}}, {"$limit": 100}, {"$group": {"_id": 1, "n": {"$sum": 1}}}]
        )
    )
    people = list(rows.presences.find(here, {"_id": 0, "room": 1, "user": 1}))
    joined = [membership["room"] for membership in rows.memberships.find(me | {"removed_at": None}).limit(500)]
    list(rows.rooms.find({"_id": {"$in": joined}}))
    revision = {"$group": {"_id": "$room", "revision": {"$first": "$revision"}}}
    in_order = [{"$match": {"room": {"$in": joined}}}, {"$sort": {"room": -1, "revision": -1}}, revision]
    list(rows.messages.aggregate(in_order))
    static = {"user": user, "room": room, "filling": filling}
    return render_template_string(PAGE, newest=newest, people=people, messages=messages, **static)
