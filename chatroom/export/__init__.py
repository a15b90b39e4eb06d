"""Exports: a room, the data of one user, and backups of everything.

If `verify` finds no error in a backup, the backup can be restored into an empty database.
"""
