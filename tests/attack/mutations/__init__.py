"""The product with a hole that was shut, put back: each module has an `apply`, and an attack has to find what it opens.

These modules know the product; the attacks do not.
"""
