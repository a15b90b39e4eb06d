"""Start and stop: the processes, the port, and the embedded database.

The port is announced after the start went to its end.
"""
