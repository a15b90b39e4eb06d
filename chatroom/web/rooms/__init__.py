"""Pages and JSON API of rooms: find, make, join, leave and change them.

A room that somebody may not see is answered like one that does not exist.
"""
