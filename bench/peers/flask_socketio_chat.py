"""Flask-SocketIO with pymongo, as in a tutorial: gevent (ASYNC_MODE=gevent) or threads.

It stores a message with majority before it emits the message.
"""

import os

if os.environ["ASYNC_MODE"] == "gevent":
    from gevent import monkey

    monkey.patch_all()

from datetime import UTC, datetime
from typing import Any

from flask import Flask, request
from flask_socketio import SocketIO, emit, join_room
from pymongo import MongoClient, WriteConcern

app = Flask(__name__)
socketio = SocketIO(app, async_mode=os.environ["ASYNC_MODE"])
messages = (
    MongoClient[dict[str, Any]](os.environ["MONGO_URI"])
    .get_default_database()
    .get_collection("messages", write_concern=WriteConcern("majority", j=True))
)


@socketio.on("connect")
def connect() -> None:
    """Join the room that the address names."""
    join_room(request.args["room"])


@socketio.on("message")
def message(draft: dict[str, str]) -> None:
    """Store a message, then send it to the room."""
    room, name = request.args["room"], request.args["name"]
    row = {"room": room, "author": name, "text": draft["text"], "sent_at": datetime.now(UTC)}
    stored = messages.insert_one(row)
    shown = {"id": str(stored.inserted_id), "author": name, "text": row["text"], "sent_at": row["sent_at"].isoformat()}
    emit("message", shown, to=room)
