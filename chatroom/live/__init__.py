"""Live delivery: send the changes of each room to its open connections, on one asyncio event loop.

Every connection receives every change after its cursor, in order and at least once. If one message changes several
times, a connection may receive only the latest change.
"""
