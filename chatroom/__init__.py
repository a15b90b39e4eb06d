"""A chat room on MongoDB: `web` (Flask) and `live` (websockets) over the nouns, over `store` (pymongo).

Imports only point down; nothing connects, starts or reads a setting at import.
"""

__version__ = "0.1.0"  # the one place: pyproject.toml and whatever shows the version read it here
