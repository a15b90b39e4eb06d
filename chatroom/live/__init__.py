"""Live delivery: an island of asyncio beside the Flask pages, which sends each room to its open connections.

Every connection receives every change beyond its cursor, in order and at least once. Of several changes of one message
it may receive only the latest.
"""
