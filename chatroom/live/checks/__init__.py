"""What connections remember, held against what is true: sessions each second, rights once a minute.

A right that was taken away ends within two minutes, whatever was told.
"""
