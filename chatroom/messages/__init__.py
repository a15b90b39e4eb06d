"""Messages: post, change, render and read them.

A message is stored once. Messages have only two orders: `sequence` and `revision`.
"""
