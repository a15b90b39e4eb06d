"""Presence: who is in a room and who is typing, in all processes.

A presence is a lease: nobody stays present after their laptop or the server process died.
"""
