"""Start and stop: the processes, the port, and the embedded database.

The address is printed when the start is complete.
"""
