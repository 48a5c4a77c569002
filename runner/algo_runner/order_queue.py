"""The order queue in Redis: what was refused or not sent, for people to see, retry or discard.

A record, never an order to replay: `retry` only tells the engine to decide anew.
"""

from collections.abc import Callable

from algo_crds.contracts import keys
from algo_crds.contracts.runtime import QueueEvent, encode

from algo_runner.spool import Spool

Record = Callable[[QueueEvent], None]


def create_order_queue(spool: Spool, *, strategy_id: str) -> Record:
    """A function that adds, changes or (state `Done`) removes an entry."""
    key = keys.orders(strategy_id)

    def record(entry: QueueEvent) -> None:
        if entry.state == "Done":
            spool.add(("HDEL", key, entry.tag), replaces=f"entry {entry.tag}")
        else:
            spool.add(("HSET", key, entry.tag, encode(entry)), replaces=f"entry {entry.tag}")

    return record
