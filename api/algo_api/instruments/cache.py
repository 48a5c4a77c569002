"""The table in Redis: one hash an exchange, read by symbol without a transaction. PostgreSQL stays the owner: Redis
away or empty only means that its rows are asked.
"""

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

import msgspec
from algo_brokers.master import MasterInstrument
from algo_crds.contracts import keys
from redis.asyncio import Redis
from redis.exceptions import RedisError

_BATCH: Final = 500
_PAUSE_SECONDS: Final = 0.01
"""Between batches: the same Redis takes the intents of orders, and syncs every write to disk."""
_NEW: Final = ":new"
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(MasterInstrument).decode


async def put(redis: Redis, exchange: str, instruments: Iterable[MasterInstrument]) -> None:
    """Replaces the table of an exchange: readers see the old one or the new one whole.

    Raises:
        RedisError, OSError: Redis is away; the old table stays.
    """
    key, rest = keys.instruments(exchange), iter(instruments)
    new: Any = key + _NEW
    await redis.delete(new)
    count = 0
    while batch := list(islice(rest, _BATCH)):
        mapping: Any = {one.symbol: _encode(one) for one in batch}
        await redis.hset(new, mapping=mapping)
        count += len(batch)
        await asyncio.sleep(_PAUSE_SECONDS)
    if count:
        await redis.rename(new, key)
    else:
        await redis.delete(key)


async def is_there(redis: Redis, exchange: str) -> bool:
    """Whether there is a table of the exchange. Raises `RedisError`, `OSError`."""
    return bool(await redis.exists(keys.instruments(exchange)))


async def get(redis: Redis, exchange: str, symbol: str) -> MasterInstrument | None:
    """One instrument; None where Redis has none, cannot be read, or holds the form of another version."""
    try:
        reading: Any = redis.hget(keys.instruments(exchange), symbol)
        raw = await reading
        return _decode(raw) if raw is not None else None
    except (RedisError, OSError, msgspec.MsgspecError):
        return None
