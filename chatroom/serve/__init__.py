"""Start and stop of the server: its processes, its port, and the embedded database.

The server prints its address when the start is complete.
"""
