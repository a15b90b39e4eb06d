"""The HTTP server around the pages: connections, uploads, downloads, and the queue for threads.

What clients make the process hold in memory is counted in one place, and bounded.
"""
