"""Tells a strategy's event stream that a person asked for something. The resource is what counts; this is for eyes."""

import logging
import time
from typing import Final, Protocol

from algo_crds.contracts import keys
from algo_crds.contracts.runtime import EVENT_FIELD, EVENTS_MAXLEN, CommandEvent, encode
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

_LOG: Final = logging.getLogger(__name__)


class TellRunner(Protocol):
    """Adds a command to the strategy's events and wakes its readers. Never fails: the resource has been written."""

    async def __call__(self, strategy_id: str, *, actor: str, command: str, message: str = "") -> None: ...


def add_event(pipe: Pipeline, strategy_id: str, event: CommandEvent) -> None:
    """Queues an event of a strategy and the notice of it."""
    pipe.xadd(keys.events(strategy_id), {EVENT_FIELD: encode(event)}, maxlen=EVENTS_MAXLEN, approximate=True)
    pipe.publish(keys.notify(strategy_id), b"")


def create_command_teller(redis: Redis) -> TellRunner:
    """A teller over Redis."""

    async def tell(strategy_id: str, *, actor: str, command: str, message: str = "") -> None:
        now = time.time_ns() // 1_000_000
        event = CommandEvent(time=now, wall_time=now, actor=actor, command=command, message=message)
        try:
            async with redis.pipeline(transaction=False) as pipe:
                add_event(pipe, strategy_id, event)
                await pipe.execute()
        except (RedisError, OSError) as error:
            _LOG.warning("command %s of %s is not in its events: %s", command, strategy_id, type(error).__name__)

    return tell
