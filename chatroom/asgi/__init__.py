"""The HTTP server around the pages: connections, uploads, downloads, and the queue for threads.

One account counts and limits the memory that clients occupy in this process.
"""
