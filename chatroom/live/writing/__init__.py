"""What waits to be stored in a room: collected, written in batches, in turn with other processes.

One write at a time for each room, and nobody is told of a message before the database has it.
"""
