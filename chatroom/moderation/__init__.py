"""Moderation: roles, mutes, bans, reports, held messages, and registration.

Nobody can act on a user of the same or a higher role.
"""
