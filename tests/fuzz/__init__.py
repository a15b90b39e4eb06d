"""Fuzzers for what strangers send: `python -m tests.fuzz renderer --minutes 10`. Atheris mutates, led by coverage.

A finding is an input that breaks a promise; it is printed, kept in a file, and the run ends with another status than 0.
"""


class Broken(Exception):
    """A promise does not hold."""
