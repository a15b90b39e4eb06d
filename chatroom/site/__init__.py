"""The whole site: its settings, limits, notices to other processes, audit log, and who may act on whom.

Everything that revokes a right is an act: done, announced and recorded in this order, and completed after a crash.
"""
