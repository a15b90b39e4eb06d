"""Search: the index over the log of every room, and the queries of users.

A search finds only messages that the user may read at that moment.
"""
