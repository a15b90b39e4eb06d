"""Rooms: settings, members, links that let people in, lists of rooms, and how far each member has read.

A room is found through its member: the query is the permission.
"""
