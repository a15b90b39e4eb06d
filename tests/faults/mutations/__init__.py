"""The product, broken on purpose: each module has an `apply`, and the checker has to notice what it does.

A checker that cannot fail proves nothing.
"""
