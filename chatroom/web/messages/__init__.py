"""Pages and JSON API of messages: the room, its history, one message, reactions and pins.

Everything works with forms and links alone; scripts make it live.
"""
