"""Markdown: the rules by which the text of a message becomes HTML."""
