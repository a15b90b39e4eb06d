"""Shared parts of all pages and the JSON API: log-in, forms, errors, security headers, OpenAPI.

`security` checks every request. `errors` shows every refusal, as a page or as JSON.
"""
