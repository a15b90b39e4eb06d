"""Rooms: settings, members, links, lists of rooms, and read positions.

A room is found through its member: the query is the permission.
"""
