"""Accounts: registration, passwords, sessions, access tokens, profiles, avatars, invites and password resets.

A secret is stored as its hash alone, and a session that was ended opens nothing.
"""
