"""Webhooks and notification settings, as pages and over the JSON API.

A webhook's secret is shown once.
"""
