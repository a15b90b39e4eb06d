"""Processes that are killed on purpose: a room under attack, and a checker of what its clients saw."""
