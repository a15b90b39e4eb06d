"""Pages of those who keep order: administration, reports, and messages held for approval.

Every page checks the right that it needs before it reads anything.
"""
