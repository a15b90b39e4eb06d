"""The page of a chat room as a minimal Flask application has it: for gunicorn's threads, with the store reads of ours.

For every request are read, as by ours: the session, its user, the room, the membership, the room's newest revision, its
newest 50 messages, and who is there.
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
    """Show the newest 50 messages of the lobby to whoever is signed in."""
    session = rows.sessions.find_one({}) if request.cookies.get("session") else None
    user = rows.users.find_one({})
    if session is None or user is None:
        abort(401)
    room = rows.rooms.find_one({"slug": "lobby"})
    assert room
    rows.memberships.find_one({"room": room["_id"]})
    newest = rows.messages.find_one({"room": room["_id"]}, {"_id": 0, "revision": 1}, sort=[("revision", -1)])
    people = list(rows.presences.find({"room": room["_id"]}))
    messages = list(rows.messages.find({"room": room["_id"]}).sort("sequence", -1).limit(50).batch_size(51))[::-1]
    static = {"user": user, "room": room, "filling": filling}
    return render_template_string(PAGE, newest=newest, people=people, messages=messages, **static)
