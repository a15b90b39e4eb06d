"""Pages and JSON API of messages: the room, its history, one message, reactions and pins.

All pages work with forms and links only; scripts make them live.
"""
