"""A chat room on MongoDB: Flask pages in `web`, websockets in `live`, and one package for each feature below them.

A package imports only lower packages. Importing a module connects to nothing, starts nothing and reads no setting.
"""

__version__ = "0.1.0"  # pyproject.toml reads it here, and so does all code
