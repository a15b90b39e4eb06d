"""Search as a page that needs no script, and over the JSON API.

Both answer the same query with the same messages.
"""
