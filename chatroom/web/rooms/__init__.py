"""Pages and JSON API of rooms: find, create, join, leave and change them.

For a room that the user may not see, the response is the same as for a room that does not exist.
"""
