"""Websockets and Socket.IO, and the limits on their number.

Input of clients is bounded before it is read. Sending to one client never waits for another client.
"""
