"""Settings, errors, typed values, rights, durations and logs, for use by every package.

Nothing here imports another package of ours, reaches the database, or knows Flask.
"""
