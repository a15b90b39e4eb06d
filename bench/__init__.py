"""Measure this server and alternatives to it: one machine, one run, one database server, one load generator."""
