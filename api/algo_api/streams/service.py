"""Follows the events of a strategy. No connection of PostgreSQL is held meanwhile, and Redis is polled, not blocked."""

import time
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from algo_crds.contracts import keys
from algo_crds.contracts.runtime import EVENT_FIELD, decode_event
from redis.asyncio import Redis
from redis.exceptions import RedisError

from algo_api.errors import UnavailableError
from algo_api.identity import Caller
from algo_api.strategies.contract import StrategyService
from algo_api.strategies.schemas import StateOut
from algo_api.streams.contract import StreamEvent, StreamService
from algo_api.streams.schemas import GAP, SNAPSHOT, event_json, kind_of
from algo_api.streams.wakes import Wakes

_SWEEP_SECONDS: Final = 5.0
_BATCH: Final = 200


def create_stream_service(redis: Redis, strategies: StrategyService, wakes: Wakes) -> StreamService:
    """Live events over Redis."""

    async def follow(caller: Caller, strategy_id: str, *, last_id: str | None) -> AsyncIterator[StreamEvent]:
        newest, oldest = await _ends(redis, strategy_id)  # before the snapshot, so that nothing falls between
        state = StateOut.model_validate(dict(await strategies.get(caller, strategy_id)))
        data = state.model_dump(mode="json")
        position = last_id or newest
        yield StreamEvent(kind=SNAPSHOT, data=data, id=None if last_id else newest)
        if last_id and _lost(last_id, oldest):
            yield StreamEvent(kind=GAP, data={"after": last_id, "oldest": oldest})
        while time.time() < caller.expires_at:
            entries = await _read(redis, strategy_id, position)
            for entry_id, fields in entries:
                position = entry_id.decode()
                event = _event(position, fields)
                if event is not None:
                    yield event
            if not entries:
                await wakes.wait(strategy_id, min(_SWEEP_SECONDS, max(0.0, caller.expires_at - time.time())))

    return StreamService(follow=follow)


def _order(stream_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = stream_id.partition("-")
    return int(milliseconds), int(sequence or 0)


def _lost(last_id: str, oldest: str) -> bool:
    """Whether events may be missing after the one that a client saw: trimmed, or all gone with an emptied store."""
    seen, kept = _order(last_id), _order(oldest)
    return seen != (0, 0) and (kept == (0, 0) or seen < kept)


async def _ends(redis: Redis, strategy_id: str) -> tuple[str, str]:
    """Newest and oldest id of the strategy's events."""
    key = keys.events(strategy_id)
    try:
        async with redis.pipeline(transaction=True) as pipe:
            pipe.xrevrange(key, count=1)
            pipe.xrange(key, count=1)
            newest, oldest = await pipe.execute()
    except (RedisError, OSError) as error:
        raise UnavailableError("live events are away for now", retry_after=2) from error
    return tuple(entries[0][0].decode() if entries else "0-0" for entries in (newest, oldest))  # type: ignore[return-value]


async def _read(redis: Redis, strategy_id: str, after: str) -> list[Any]:
    try:
        entries: Any = await redis.xrange(keys.events(strategy_id), min=f"({after}", count=_BATCH)
        return list(entries)
    except (RedisError, OSError) as error:
        raise UnavailableError("live events are away for now", retry_after=2) from error


def _event(entry_id: str, fields: dict[bytes, bytes]) -> StreamEvent | None:
    try:
        event = decode_event(fields[EVENT_FIELD])
    except (KeyError, msgspec.MsgspecError):
        return None  # written by a newer version: the snapshot says what it meant
    return StreamEvent(kind=kind_of(event), data=event_json(event), id=entry_id)
