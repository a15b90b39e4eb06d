"""Settings, errors, typed values, rights, durations and logs: what every package needs.

Nothing here imports another package of ours, reaches the database, or knows Flask.
"""
