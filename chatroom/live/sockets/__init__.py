"""Open sockets: websockets, Socket.IO, and how many there may be.

What a client sends is bounded before it is read, and what it is sent waits for nobody else.
"""
