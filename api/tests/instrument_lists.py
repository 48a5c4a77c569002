"""Lists of made-up brokers, and a loader over them."""

from collections.abc import Callable, Mapping
from typing import Any

from algo_api.db import Database
from algo_api.instruments.loader import LoadInstruments, create_loader
from algo_api.instruments.sources import Sources
from algo_brokers.errors import BrokerError
from algo_brokers.records import BrokerInstrument
from redis.asyncio import Redis

NOW = 1_795_600_000_000
"""25 November 2026."""

Lists = dict[str, list[BrokerInstrument] | BrokerError]
"""What each broker answers, for all exchanges; tests change it between loads."""


def listed(symbol: str = "RELIANCE", **changes: Any) -> BrokerInstrument:
    """A share."""
    values: dict[str, Any] = {
        "exchange": "NSE",
        "symbol": symbol,
        "token": 2885,
        "name": symbol,
        "tick_size": 1000,
        "lot": 1,
        "kind": "EQ",
    }
    return BrokerInstrument(**values | changes)


def loader(
    db: Database,
    redis: Redis,
    lists: Lists,
    *,
    now: Callable[[], int] = lambda: NOW,
    exchanges: tuple[str, ...] = ("NSE",),
) -> LoadInstruments:
    """A loader of what `lists` holds at the moment of the load."""

    def reader(broker: str) -> Any:
        async def read(*, exchange: str) -> tuple[BrokerInstrument, ...]:
            answer = lists[broker]
            if isinstance(answer, BrokerError):
                raise answer
            return tuple(row for row in answer if row.exchange == exchange)

        return read

    def readers() -> Mapping[str, Any]:
        return {broker: reader(broker) for broker in lists}

    sources = Sources(brokers=tuple(lists), simulated=True, open=readers)
    return create_loader(db, redis, sources, exchanges=exchanges, now=now)
