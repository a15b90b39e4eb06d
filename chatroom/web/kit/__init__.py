"""What all pages and the JSON API share: log-in, forms, errors, security headers, OpenAPI.

Every request passes `security`, and every refusal becomes a page or JSON in `errors`.
"""
