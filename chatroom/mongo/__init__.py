"""MongoDB: the connection and its guarantees, writes under unique keys, and the embedded mongod.

Every write waits until a majority has it in the journal; every read sees only data that a majority has stored.
"""
