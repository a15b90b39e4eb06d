"""Live delivery: an island of asyncio beside the Flask pages, which sends each room to its open connections.

Every connection receives every change beyond its cursor, once and in order.
"""
