"""Moves strategies' events from Redis into the ledger, each exactly once.

A batch and the position after it are one transaction: the position is the newest recorded stream id, and a unique
constraint refuses a second copy. A crash between Redis and PostgreSQL repeats a read, never a row.
"""

import asyncio
import logging
import time
from typing import Any, Final

import msgspec
from algo_crds.contracts import keys
from algo_crds.contracts.ids import new_id
from algo_crds.contracts.runtime import EVENT_FIELD, decode_event
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from algo_api.db import WORKER, Database
from algo_api.errors import ApiError
from algo_api.health.metrics import RECORDED
from algo_api.projected import all_live
from algo_api.strategies import queries as strategy_queries
from algo_api.strategies.models import Strategy
from algo_api.streams import queries
from algo_api.streams.schemas import kind_of
from algo_api.streams.wakes import Wakes
from algo_api.tables import SYSTEM_ACTOR, utc_now

_LOG: Final = logging.getLogger(__name__)
_BATCH: Final = 500
_SWEEP_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 1.0


async def run_recorder(db: Database, redis: Redis, wakes: Wakes) -> None:
    """Until cancelled: what was notified at once, everything every ten seconds and after every failure."""
    sweep_at = time.monotonic()
    while True:
        try:
            if time.monotonic() >= sweep_at:
                await record_all(db, redis)
                sweep_at = time.monotonic() + _SWEEP_SECONDS
            for strategy_id in await wakes.changed(max(sweep_at - time.monotonic(), 0.0)):
                await record_strategy(db, redis, strategy_id)
        except (RedisError, OSError, ApiError, SQLAlchemyError) as error:
            _LOG.warning("the recorder waits: %s", type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)
            sweep_at = time.monotonic()  # what was told in the meantime may be lost


async def record_all(db: Database, redis: Redis) -> None:
    """One sweep over all live strategies."""
    async with db.transaction(WORKER) as session:
        identifiers = [row.id for row in await all_live(session, Strategy)]
    for strategy_id in identifiers:
        await record_strategy(db, redis, strategy_id)


async def record_strategy(db: Database, redis: Redis, strategy_id: str) -> int:
    """Records what is new of one strategy; returns how many events."""
    count = 0
    while True:
        async with db.transaction(WORKER) as session:
            strategy = await strategy_queries.any_strategy(session, strategy_id)
            if strategy is None:
                return count
            last = await queries.last_recorded(session, strategy_id)
            entries: Any = await redis.xrange(keys.events(strategy_id), min=f"({last}", count=_BATCH)
            rows = [_row(strategy, entry_id.decode(), fields) for entry_id, fields in entries]
            await queries.append(session, rows)
        count += len(rows)
        RECORDED.inc(len(rows))
        if len(entries) < _BATCH:
            return count


def _row(strategy: Strategy, entry_id: str, fields: dict[bytes, bytes]) -> dict[str, object]:
    milliseconds, _, sequence = entry_id.partition("-")
    raw = fields.get(EVENT_FIELD, b"{}")
    try:
        event = decode_event(raw)
        kind, at, wall, body = kind_of(event), event.time, event.wall_time, msgspec.to_builtins(event)
    except msgspec.MsgspecError:  # of a newer version: kept as it is, nothing is lost
        kind, at, wall, body = "unknown", 0, int(milliseconds), {"raw": raw.decode(errors="replace")}
    now = utc_now()
    return {
        "id": new_id("aud"),
        "tenant_id": strategy.tenant_id,
        "user_id": strategy.user_id,
        "strategy_id": strategy.id,
        "stream_ms": int(milliseconds),
        "stream_seq": int(sequence),
        "kind": kind,
        "session_time": at,
        "wall_time": wall,
        "event": body,
        "status": "recorded",
        "created_at": now,
        "created_by": SYSTEM_ACTOR,
        "updated_at": now,
        "updated_by": SYSTEM_ACTOR,
    }
