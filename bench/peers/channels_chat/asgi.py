"""The chat of the Django Channels tutorial (asynchronous consumer, Redis layer), with messages in MongoDB.

It stores a message with majority before it passes the message to the layer.
"""

import os
from datetime import UTC, datetime
from typing import Any

import django
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path
from pymongo import AsyncMongoClient, WriteConcern

settings.configure(
    SECRET_KEY="only for the bench",
    ALLOWED_HOSTS=["127.0.0.1"],
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": os.environ["CHANNEL_LAYER"],
            "CONFIG": {"hosts": [os.environ["REDIS_URL"]]},
        }
    },
)
django.setup()

database = AsyncMongoClient[dict[str, Any]](os.environ["MONGO_URI"]).get_default_database()
messages = database.get_collection("messages", write_concern=WriteConcern("majority", j=True))


class Chat(AsyncJsonWebsocketConsumer):
    """The connection of one user in one room."""

    async def connect(self) -> None:
        """Join the room's group."""
        self.room = self.scope["url_route"]["kwargs"]["room"]
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave the room's group."""
        await self.channel_layer.group_discard(self.room, self.channel_name)

    async def receive_json(self, content: dict[str, str]) -> None:
        """Store a message, then send it to the group."""
        row = {"room": self.room, "author": content["name"], "text": content["text"], "sent_at": datetime.now(UTC)}
        stored = await messages.insert_one(row)
        shown = {
            "id": str(stored.inserted_id),
            "author": row["author"],
            "text": row["text"],
            "sent_at": row["sent_at"].isoformat(),
        }
        await self.channel_layer.group_send(self.room, {"type": "chat.message", "message": shown})

    async def chat_message(self, event: dict[str, Any]) -> None:
        """Send a message of the group to the client."""
        await self.send_json(event["message"])


application = ProtocolTypeRouter({"websocket": URLRouter([path("<room>", Chat.as_asgi())])})
