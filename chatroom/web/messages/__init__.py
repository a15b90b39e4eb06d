"""Pages and JSON API of messages: the room, its history, one message, reactions and pins.

All pages also work without scripts, by forms and links. With scripts, new messages appear by themselves.
"""
