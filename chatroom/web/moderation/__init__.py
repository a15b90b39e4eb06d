"""Pages for moderators and administrators: administration, reports, held messages.

Every page checks the required right before it reads anything.
"""
