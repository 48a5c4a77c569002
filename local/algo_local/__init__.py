"""The local cluster and the algo command."""
