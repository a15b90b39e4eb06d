"""The site: its settings, limits, notices to other processes, audit log, and who may act on which user.

Each change of a right is an act with three steps: the change, the notices, and the entry in the audit log. After a
crash, the remaining steps follow.
"""
