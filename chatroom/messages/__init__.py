"""Messages: post, change, render and read them.

Messages have two orders: by the time of posting (`sequence`), and by the latest change (`revision`).
"""
