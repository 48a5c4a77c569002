"""Events for people: the bounded stream that SSE, the status writer and the recorder read.

Buffered in the spool while Redis is away. Where room is short the newest state of an order or condition replaces an
older one; fills, phases and alerts have no replacement.
"""

from collections.abc import Callable
from typing import Final

from algo_crds.contracts import keys
from algo_crds.contracts.runtime import (
    EVENT_FIELD,
    EVENTS_MAXLEN,
    ConditionEvent,
    OrderEvent,
    QueueEvent,
    StrategyEvent,
    encode,
)

from algo_runner.fence import Command
from algo_runner.spool import Spool

OWN_NOTE: Final = b"runner"
"""What we publish on the notify channel, so that we know our own notices from the operator's."""

Publish = Callable[[StrategyEvent], None]


def notice(strategy_id: str) -> Command:
    """The command that tells the channel that something changed."""
    return ("PUBLISH", keys.notify(strategy_id), OWN_NOTE)


def create_events_out(spool: Spool, *, strategy_id: str) -> Publish:
    """A function that publishes an event, in order."""
    key = keys.events(strategy_id)

    def publish(event: StrategyEvent) -> None:
        command = ("XADD", key, "MAXLEN", "~", EVENTS_MAXLEN, "*", EVENT_FIELD, encode(event))
        spool.add(command, replaces=_subject(event))

    return publish


def _subject(event: StrategyEvent) -> str:
    match event:
        case OrderEvent():
            return f"order {event.order.tag}"
        case ConditionEvent():
            return f"condition {event.name}"
        case QueueEvent():
            return f"queue {event.tag}"
        case _:
            return ""
