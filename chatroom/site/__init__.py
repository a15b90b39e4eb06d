"""The whole site: its settings, limits, notices to other processes, audit log, and who may act upon whom.

Whatever takes a right away is an act: done, told and recorded in this order, and completed after a crash.
"""
