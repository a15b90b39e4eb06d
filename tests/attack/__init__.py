"""Attacks from outside on a real server: nothing here knows the product but its addresses, its forms and its words."""
