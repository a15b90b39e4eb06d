"""The whole site: its settings, limits, notices to other processes, audit log, and who may act on whom.

Every change of a right is an act: the change, then the notices, then the audit log; completed after a crash.
"""
