"""One load: the lists of every broker, merged, written where they changed, cached, and what happened recorded.

A list that cannot be read is no empty list: what only that broker lists stays. A list that lost most of its lines is
not believed about what is gone.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from algo_brokers.errors import BrokerError, RequestRefused, SessionRefused
from algo_brokers.master import Master, merge
from algo_brokers.port import ReadInstruments
from algo_brokers.records import BrokerInstrument
from algo_crds.contracts.clock import session_date
from algo_market.freeze_quantities import FreezeFileError, parse_freeze_quantities
from redis.asyncio import Redis
from redis.exceptions import RedisError

from algo_api.db import WORKER, Database
from algo_api.health import metrics
from algo_api.instruments import cache, rows
from algo_api.instruments.sources import Sources

_LOG: Final = logging.getLogger(__name__)
DERIVATIVES: Final = {"NSE": "NFO", "BSE": "BFO"}
"""Where a share's derivatives are listed."""
_EXAMPLES: Final = 20
_MANY: Final = 1_000
"""From this many on, half of them does not go in one night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """How a load went."""

    complete: bool
    """Whether trying again soon would bring nothing: every list was read, or its broker wants a session for it."""
    listed: int


class LoadInstruments(Protocol):
    """Loads the lists of every exchange once.

    Raises:
        UnavailableError, SQLAlchemyError: the database is away; nothing was written of the exchange in hand.
    """

    async def __call__(self) -> LoadReport: ...


@dataclass(slots=True)
class _Read:
    """What was read of one exchange."""

    lists: dict[str, tuple[BrokerInstrument, ...]] = field(default_factory=dict)
    trouble: dict[str, str] = field(default_factory=dict)
    again: bool = False


def create_loader(
    db: Database,
    redis: Redis,
    sources: Sources,
    *,
    exchanges: Sequence[str],
    now: Callable[[], int],
    freeze_file: Path | None = None,
) -> LoadInstruments:
    """A loader of these exchanges; `now` is the wall clock in ms."""
    ordered = sorted(exchanges, key=lambda one: one in DERIVATIVES)  # derivatives first: they name the auction's shares

    async def load() -> LoadReport:
        readers = sources.open()
        underlyings: dict[str, frozenset[str]] = {}
        complete, listed = True, 0
        freezes = await asyncio.to_thread(_freezes, freeze_file)
        for exchange in ordered:
            begun = time.monotonic()
            read = await _read(readers, exchange)
            complete &= not read.again
            if not read.lists:
                await _record(db, exchange, now(), read, begun, None, (0, 0), "no list could be read")
                continue
            master = await asyncio.to_thread(
                merge, read.lists, freezes=freezes, underlyings=underlyings.get(DERIVATIVES.get(exchange, ""))
            )
            underlyings[exchange] = frozenset(one.underlying for one in master.instruments if one.underlying)
            written = await _write(db, redis, exchange, master, tuple(read.lists), now())
            await _record(db, exchange, now(), read, begun, master, written.counts, written.trouble)
            listed += len(master.instruments)
        return LoadReport(complete=complete, listed=listed)

    return load


async def _read(readers: Mapping[str, ReadInstruments], exchange: str) -> _Read:
    """One broker after the other: lists are large."""
    read = _Read()
    for broker, reader in readers.items():
        try:
            read.lists[broker] = await reader(exchange=exchange)
        except BrokerError as error:
            read.trouble[broker] = str(error)
            read.again |= not isinstance(error, SessionRefused | RequestRefused)
            metrics.LIST_TROUBLE.labels(broker, exchange).inc()
            _LOG.warning("the list of %s at %s was not read: %s", exchange, broker, error)
    return read


@dataclass(frozen=True, slots=True)
class _Written:
    counts: tuple[int, int]
    """Changed and vanished."""
    trouble: str


async def _write(
    db: Database, redis: Redis, exchange: str, master: Master, brokers: Sequence[str], now_ms: int
) -> _Written:
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    found = await asyncio.to_thread(lambda: list(rows.rows_of(master.instruments)))
    left_out = len(master.instruments) - len(found)
    trouble = f"{left_out} instruments cannot be stored" if left_out else ""
    async with db.transaction(WORKER) as session:
        known = await rows.hashes(session, exchange)
        changed = [row for row in found if known.get(row.id) != row.content_hash]
        await rows.put(session, changed, now)
        missing = known.keys() - {row.id for row in found}
        if len(known) >= _MANY and 2 * len(missing) > len(known):
            trouble = f"{len(missing)} of {len(known)} instruments are in no list: none of them is taken as gone"
            missing = set()
        vanished = await rows.vanish(session, missing, brokers, now)
    try:
        if changed or vanished or not await cache.is_there(redis, exchange):
            await cache.put(redis, exchange, (row.instrument for row in found))
    except (RedisError, OSError) as error:  # a cache: rows are asked instead
        _LOG.warning("instruments of %s are not cached: %s", exchange, type(error).__name__)
    return _Written((len(changed), vanished), trouble)


async def _record(
    db: Database,
    exchange: str,
    now_ms: int,
    read: _Read,
    begun: float,
    master: Master | None,
    counts: tuple[int, int],
    trouble: str,
) -> None:
    day, now = session_date(now_ms), datetime.fromtimestamp(now_ms / 1000, UTC)
    fields = Counter(found.field for found in master.disagreements) if master else Counter[str]()
    listed = {broker: len(lines) for broker, lines in read.lists.items()}
    load: dict[str, Any] = {
        "id": f"{exchange}:{day}",
        "exchange": exchange,
        "day": day,
        "tried_at": now,
        "loaded_at": now if master else None,
        "milliseconds": int((time.monotonic() - begun) * 1000),
        "listed": len(master.instruments) if master else 0,
        "changed": counts[0],
        "vanished": counts[1],
        "trouble": trouble,
        "sources": {
            broker: {"listed": listed.get(broker, 0), "trouble": read.trouble.get(broker, "")}
            for broker in sorted(listed.keys() | read.trouble.keys())
        },
        "disagreements": {"count": dict(fields), "examples": _examples(master)},
    }
    async with db.transaction(WORKER) as session:
        await rows.put_load(session, load)
    for broker, count in listed.items():
        metrics.LISTED.labels(broker, exchange).set(count)
    if master is not None:
        metrics.LOADED_AT.labels(exchange).set(now_ms / 1000)
        metrics.DISAGREEMENTS.labels(exchange).set(len(master.disagreements))


def _examples(master: Master | None) -> list[dict[str, object]]:
    """Some disagreements, for whoever asks why a fact is not known."""
    return [
        {"symbol": one.symbol, "field": one.field, "said": one.said, "taken": one.taken}
        for one in (master.disagreements[:_EXAMPLES] if master else ())
    ]


def _freezes(path: Path | None) -> dict[str, int]:
    if path is None:
        return {}
    try:
        return parse_freeze_quantities(path.read_bytes())
    except (OSError, FreezeFileError) as error:
        _LOG.warning("freeze quantities at %s are not read: %s", path, error)
        return {}
