"""The code that is needed to register the first account of a site that strangers can reach.

The first account administers the site. The code is derived from the secret key, so every process knows the code. This
module imports little, because the server needs it early at its start.
"""

import base64
import hmac

PURPOSE = b"the first account"
LETTERS = 20
"""The number of letters in the code. The code has a hundred bits."""


def first_code(secret_key: str) -> str:
    """Return the code that the server prints at its start, and that the registration requires."""
    digest = hmac.digest(secret_key.encode("utf-8", "surrogateescape"), PURPOSE, "sha256")
    letters = base64.b32encode(digest).decode().lower()[:LETTERS]
    return "-".join(letters[at : at + 5] for at in range(0, LETTERS, 5))


def is_first_code(typed: str, secret_key: str) -> bool:
    return hmac.compare_digest(typed.strip().lower().encode("utf-8", "surrogatepass"), first_code(secret_key).encode())
