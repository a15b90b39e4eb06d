"""Files of messages: take them in, make thumbnails, hand them to members, and delete them.

A file is read only by members of its room, and leaves without what the camera wrote into it.
"""
