"""Open sockets: websockets and Socket.IO, and limits of their number.

What a client sends is bounded before it is read, and sending to one client never waits for another.
"""
