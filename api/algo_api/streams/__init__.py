"""Live events of a strategy and the ledger of all of them."""
