"""Webhooks (in and out), notifications, and Web Push.

No input of a user makes the server connect to an address of its own network.
"""
