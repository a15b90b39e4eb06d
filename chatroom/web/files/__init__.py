"""Files over HTTP: upload them, and fetch them, whole or in part.

What browsers could run is sent as a download.
"""
