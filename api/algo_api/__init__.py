"""The HTTP API: users, broker accounts, strategies, live streams."""
