"""Exports: a room, the data of one user, and backups of everything.

A backup that verifies can be restored into an empty database.
"""
