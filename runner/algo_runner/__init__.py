"""One strategy, one pod: the engine and its shell."""
