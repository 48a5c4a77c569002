"""A simulated exchange behind servers that speak the brokers' own protocols."""
