"""The HTTP server around the pages: connections, uploads, downloads, and the queue for threads.

The process counts and limits the memory that its clients use.
"""
