"""Exports: a room, what the site has of one person, and backups of everything.

A backup that verifies can be restored into an empty database.
"""
