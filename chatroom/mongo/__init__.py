"""MongoDB: the connection and its guarantees, writes under unique keys, and the embedded mongod.

Every write waits for a majority and the journal; every read sees majority-committed data.
"""
