"""A person who uses a site from outside."""

import re
import ssl
import uuid
from typing import Any

import httpx

from tests.visitors import PASSWORD

UNCHECKED = ssl.create_default_context()
"""For the self-signed certificates of the tests."""
UNCHECKED.check_hostname, UNCHECKED.verify_mode = False, ssl.CERT_NONE


class Browser(httpx.Client):
    """A person without JavaScript."""

    def submit(self, path: str, files: Any = None, *, to: str = "", **typed: str) -> httpx.Response:
        """Load the page, and send its form, or that one of its forms which leads `to`."""
        [token] = set(re.findall(r'name="csrf_token"[^>]* value="([^"]+)"', self.get(path).text))
        return self.post(to or path, data={"csrf_token": token, **typed}, files=files)

    def register(self, name: str, log: str) -> None:
        """Make the first account, with the code from the log of the server."""
        [code] = set(re.findall(r"needs the code (\S+)", log))
        names = {"username": name, "display_name": name.title(), "invite": code}
        self.submit("/register", password=PASSWORD, password_again=PASSWORD, **names)

    def say(self, text: str, files: Any = None) -> httpx.Response:
        """Post to the lobby."""
        return self.submit("/chatroom", files, text=text, client_id=str(uuid.uuid4()))


class Routed(httpx.HTTPTransport):
    """Leads a host name to addresses of the loopback, one for each scheme, as DNS and a router do."""

    def __init__(self, addresses: dict[str, str], **options: Any) -> None:
        super().__init__(verify=UNCHECKED, **options)
        self._addresses = {scheme: httpx.URL(address) for scheme, address in addresses.items()}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to the address of its scheme, with the headers as they are."""
        there = self._addresses[request.url.scheme]
        url = request.url.copy_with(scheme=there.scheme, host=there.host, port=there.port)
        extensions = {**request.extensions, "sni_hostname": request.url.host}
        sent = httpx.Request(request.method, url, headers=request.headers, stream=request.stream, extensions=extensions)
        return super().handle_request(sent)
