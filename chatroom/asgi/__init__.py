"""The HTTP server around the pages: connections, uploads, downloads, and the queue for threads.

The memory that clients occupy in this process is counted in one place, and limited.
"""
