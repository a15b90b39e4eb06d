"""The HTTP server around the pages: connections, uploads, downloads, and the queue for threads.

The memory that clients make the process hold is counted in one place, and bounded.
"""
