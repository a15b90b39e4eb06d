"""Files over HTTP: users upload a file, and download all or a part of it.

If a browser could run a file as a page or a script, the file is sent as a download.
"""
