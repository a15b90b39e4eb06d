"""Exports as downloads.

A download ends when the right to it ends.
"""
