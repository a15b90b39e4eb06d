"""Presence: the people who are in a room, and the people who are typing, in all processes.

A presence is a lease. A lease expires even if a laptop or a server process stops suddenly.
"""
