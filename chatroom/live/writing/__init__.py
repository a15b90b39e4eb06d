"""Collect the drafts and changes of a room, and write them in batches. Processes that write in one room take turns.

A process has at most one running write in each room. No client sees a message before the database has stored it.
"""
