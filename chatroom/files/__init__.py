"""Files of messages: store uploads, make thumbnails, serve files to members, and delete files.

Only members of its room can read a file, and it contains no metadata from the camera.
"""
