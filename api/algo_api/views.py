"""Reads what runners say of themselves in Redis. Redis away is no error here: the resource's status stands in."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
from algo_crds.contracts import keys
from algo_crds.contracts.runtime import StrategyView, decode_view
from redis.asyncio import Redis
from redis.exceptions import RedisError

_FIELD: Final = "view"


class ReadViews(Protocol):
    """The views of many strategies in one round trip; None where there is none or it cannot be read."""

    async def __call__(self, strategy_ids: Sequence[str]) -> list[StrategyView | None]: ...


def create_view_reader(redis: Redis) -> ReadViews:
    """A reader over Redis."""

    async def read_views(strategy_ids: Sequence[str]) -> list[StrategyView | None]:
        if not strategy_ids:
            return []
        try:
            async with redis.pipeline(transaction=False) as pipe:
                for strategy_id in strategy_ids:
                    pipe.hget(keys.state(strategy_id), _FIELD)
                raw = await pipe.execute(raise_on_error=False)
        except (RedisError, OSError):
            return [None] * len(strategy_ids)
        return [_view(entry) for entry in raw]

    return read_views


def _view(raw: Any) -> StrategyView | None:
    if not isinstance(raw, bytes):
        return None
    try:
        return decode_view(raw)
    except msgspec.MsgspecError:
        return None
