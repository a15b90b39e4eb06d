"""Pages and JSON API of rooms: find, create, join, leave and change them.

A room that the user may not see gets the same response as a missing room.
"""
