"""Erasure of deleted accounts, of cleared rooms, and of messages that are older than their room's retention.

Cleared messages are hidden at once and erased later. Each erasure is a change in the room's log, for all readers.
"""
