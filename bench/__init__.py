"""Measure this chat room beside what people would pick instead: one machine, one run, one database server, one load."""
