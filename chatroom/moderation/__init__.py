"""Moderation: roles, mutes, bans, reports, messages held for approval, and who may join.

Nobody acts on somebody who is as powerful as they are.
"""
