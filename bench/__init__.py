"""Compare this server with alternatives, on one machine, in one run, with one database server and one load generator."""
