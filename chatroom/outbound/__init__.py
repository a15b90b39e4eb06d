"""Everything that leaves the site: webhooks, notifications, and Web Push.

No input of a user makes the server connect to an address of its own network.
"""
