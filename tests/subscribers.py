"""A browser that is subscribed to notifications, and decrypts them."""

import base64
import json
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Browser:
    """The keys of a browser, and the notifications that its push service received."""

    def __init__(self, endpoint: str = "https://push.test/b1") -> None:
        self.endpoint = endpoint
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.secret = b"0123456789abcdef"
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.keys = (encoded(point), encoded(self.secret))

    def read(self, data: bytes) -> Any:
        return json.loads(http_ece.decrypt(data, private_key=self._key, auth_secret=self.secret, version="aes128gcm"))


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
