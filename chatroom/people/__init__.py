"""Accounts: registration, passwords, sessions, access tokens, profiles, avatars and password resets.

A secret is stored only as its hash, and an ended session gives no access.
"""
