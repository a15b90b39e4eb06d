"""A person who uses a site from outside."""

import re

import httpx


class Browser(httpx.Client):
    """A person without JavaScript."""

    def submit(self, path: str, **typed: str) -> None:
        """Load the page, and send its form."""
        [token] = set(re.findall(r'name="csrf_token"[^>]* value="([^"]+)"', self.get(path).text))
        self.post(path, data={"csrf_token": token, **typed})
