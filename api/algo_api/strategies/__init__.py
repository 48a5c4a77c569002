"""Strategies: the Strategy resource, its row and its state."""
