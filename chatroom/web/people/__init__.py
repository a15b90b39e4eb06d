"""Pages of people: register, log in, the account, profiles, access tokens.

A new password, a new token and the deletion of the user's own account require the current password.
"""
