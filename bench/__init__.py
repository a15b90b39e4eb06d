"""Compare this server with others: on one machine, in one run, with one database server and one load generator."""
