"""Collect what is to be stored in a room, and write it in batches, in turn with other processes.

One write at a time for each room, and no client sees a message before the database has it.
"""
