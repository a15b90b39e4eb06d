"""Websockets and Socket.IO, and the limits on their number.

The input of clients is limited before it is read. Sending to one client never waits for another client.
"""
