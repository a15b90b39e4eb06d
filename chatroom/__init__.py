"""A chat room on MongoDB: `web` (Flask) and `live` (websockets) over the nouns, over `store` (pymongo).

Imports only point down; nothing connects, starts or reads a setting at import.
"""
