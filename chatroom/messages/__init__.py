"""Messages: post, change, render and read them.

A message is stored once. `sequence` and `revision` are the only orders.
"""
