"""Compare what connections remember with the database: sessions every second, rights once a minute.

A revoked right ends within two minutes, even if a notice is lost.
"""
