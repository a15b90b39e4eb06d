"""Files over HTTP: upload them, and download them, whole or in part.

Types that browsers could run are sent as downloads.
"""
