"""Messages: post, change, render and read them.

Messages have two orders: `sequence` (as posted) and `revision` (as last changed).
"""
