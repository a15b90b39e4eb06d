"""Pages of people: register, log in, the account, profiles, access tokens.

What changes an account asks for its password.
"""
