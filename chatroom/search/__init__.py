"""Search: the index over the log of every room, and what people type into the search field.

A search finds only what its reader may read at that moment.
"""
