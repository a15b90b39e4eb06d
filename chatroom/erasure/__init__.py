"""Erasure: deleted accounts, cleared rooms, and messages older than a room keeps them.

What is erased is hidden at once, and erased through the log, so that every reader learns of it.
"""
