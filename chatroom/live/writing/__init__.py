"""Collect the drafts and changes of a room, and write them in batches. Processes that write in one room take turns.

Each room has one write at a time. No client sees a message before the database has stored it.
"""
