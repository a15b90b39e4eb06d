"""What leaves the site: webhooks, notifications, and Web Push.

Nothing that people type makes the server reach an address of its own network.
"""
