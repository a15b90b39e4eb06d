"""Presence: the people who are in a room, and the people who are typing, in all processes.

A presence is stored as a lease, which expires unless it is renewed. So people disappear even if a laptop or a server
process stops suddenly.
"""
