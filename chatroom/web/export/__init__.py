"""Exports as downloads.

A download ends when the reader loses the right to it.
"""
