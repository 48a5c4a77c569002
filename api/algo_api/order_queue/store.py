"""The order queue in Redis: the runner writes its entries, this process only reads them and adds commands."""

import time
from typing import Any, Final

import msgspec
from algo_crds.contracts import keys
from algo_crds.contracts.runtime import CommandEvent, QueueEvent, decode_event
from redis.asyncio import Redis
from redis.exceptions import RedisError

from algo_api.errors import UnavailableError
from algo_api.streams.commands import add_event

_COMMANDS_MAXLEN: Final = 1_000
_RETRY_SECONDS: Final = 2


async def read_entries(redis: Redis, strategy_id: str) -> list[QueueEvent]:
    """All entries, by tag, which is the order of the attempts; one that a newer version wrote is left out.

    Raises:
        UnavailableError: Redis is away.
    """
    try:
        found: Any = await redis.hgetall(keys.orders(strategy_id))
    except (RedisError, OSError) as error:
        raise UnavailableError("the order queue cannot be read now", retry_after=_RETRY_SECONDS) from error
    entries = (_entry(raw) for _, raw in sorted(found.items()))
    return [entry for entry in entries if entry is not None]


def _entry(raw: bytes) -> QueueEvent | None:
    try:
        event = decode_event(raw)
    except msgspec.MsgspecError:
        return None
    return event if isinstance(event, QueueEvent) else None


async def give_command(
    redis: Redis, strategy_id: str, *, command: str, actor: str, tag: str = "", note: str = ""
) -> None:
    """Adds a command to the runner's stream, and what was asked for to the events, as one.

    Raises:
        UnavailableError: Redis is away; whether the command was taken cannot be told, and giving it again is harmless.
    """
    now = time.time_ns() // 1_000_000
    event = CommandEvent(time=now, wall_time=now, actor=actor, command=command, message=tag or note)
    fields: dict[Any, Any] = {"command": command, "actor": actor, "tag": tag, "note": note}
    try:
        async with redis.pipeline(transaction=True) as pipe:
            pipe.xadd(keys.commands(strategy_id), fields, maxlen=_COMMANDS_MAXLEN, approximate=True)
            add_event(pipe, strategy_id, event)
            await pipe.execute()
    except (RedisError, OSError) as error:
        raise UnavailableError("the runner cannot be told now; try again", retry_after=_RETRY_SECONDS) from error
