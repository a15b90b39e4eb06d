"""Exports as downloads.

A download ends when the user loses the right to it.
"""
