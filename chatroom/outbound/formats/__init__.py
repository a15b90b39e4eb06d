"""The bodies that other programs send to incoming webhooks, as texts of messages. Pure functions, without I/O."""
