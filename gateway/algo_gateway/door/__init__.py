"""The order door: the one place that decides what reaches the broker. Pure: messages and instants in, effects out.

`door.py` is the state machine, `owners.py` says which connection may speak for a strategy, `effects.py` what the shell
must do. Limits and breaker are `algo_brokers.limits` and `algo_brokers.breaker`; sockets and HTTP live in the shell.
"""
