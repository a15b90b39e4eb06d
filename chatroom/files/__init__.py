"""Files of messages: store uploads, make thumbnails, serve files to members, and delete files.

Only members of the room can read its files. Stored pictures and videos contain no metadata from the camera.
"""
