"""Settings, errors, typed values, rights, durations and logs. Every package may import them.

This package imports no other package of `chatroom`. It uses neither the database nor Flask.
"""
