"""The simulated Dhan: the DhanHQ API v2 (REST, login host, instrument files, market and order sockets) on one port."""
