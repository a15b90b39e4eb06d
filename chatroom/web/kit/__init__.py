"""Shared parts of all pages and the JSON API: log-in, forms, errors, security headers, OpenAPI.

Every request passes `security`, and every refusal becomes a page or JSON in `errors`.
"""
