"""Erasure: deleted accounts, cleared rooms, and messages older than a room keeps them.

Messages are hidden at once, and then erased by changes in the log, so that every reader learns of them.
"""
