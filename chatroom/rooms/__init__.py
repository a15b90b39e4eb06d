"""Rooms: settings, members, links, lists of rooms, and read positions.

A room is found only together with the user's membership, so no caller can forget to check the membership.
"""
