"""Presence: who is in a room and who is typing, in this process and in the others.

A presence is a lease: nobody stays after their laptop or the server process died.
"""
