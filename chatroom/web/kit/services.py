"""The services of the application that serves this request."""

from typing import cast

from flask import current_app
from werkzeug.local import LocalProxy

from chatroom.services import Services

services = cast("Services", LocalProxy(lambda: current_app.extensions["chatroom"]))
