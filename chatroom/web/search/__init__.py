"""Search as a page that needs no JavaScript, and over the JSON API.

Both return the same messages for a query.
"""
