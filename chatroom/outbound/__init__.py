"""Webhooks (in and out), notifications, and Web Push.

No input of a user makes the server connect to an address in the server's own network.
"""
