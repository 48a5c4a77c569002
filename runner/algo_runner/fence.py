"""Every write of a runner goes through one script that refuses an older epoch.

The highest epoch that has written stands in the state hash for good and in the lease key for as long as it is renewed.
This fences Redis only; that at most one runner *acts* is the order door's business. A batch that carries an id is done
once, even if it is sent again after a broken connection.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from algo_crds.contracts import keys

from algo_runner.redis_link import Part, RedisRefusedError

_SCRIPT: Final = """
local mine = tonumber(ARGV[1])
local lease = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
local newest = tonumber(redis.call('HGET', KEYS[2], 'epoch') or '0') or 0
if lease > mine or newest > mine then
  newest = string.format('%d', math.max(lease, newest))
  return redis.error_reply('FENCED epoch ' .. ARGV[1] .. ' is older than ' .. newest)
end
redis.call('HSET', KEYS[2], 'epoch', ARGV[1])
if ARGV[2] ~= '' then
  if redis.call('HGET', KEYS[2], 'batch') == ARGV[2] then return 0 end
  redis.call('HSET', KEYS[2], 'batch', ARGV[2])
end
local at, done = 3, 0
while at <= #ARGV do
  local size = tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, at + size))
  at = at + size + 1
  done = done + 1
end
return done
"""
_SHA: Final = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()

Command = tuple[Part, ...]


class FencedError(Exception):
    """A newer epoch owns the strategy's keys: this process must not write any more."""


class Call(Protocol):
    """One command to Redis."""

    def __call__(self, *parts: Part) -> "asyncio.Future[Any]": ...


class Write(Protocol):
    """Do commands as one, unless a newer epoch has written.

    Raises:
        FencedError: a newer epoch has written.
        RedisAwayError: no connection, or it broke before the answer: done or not is unknown.
        RedisRefusedError: Redis refused one of the commands.
    """

    async def __call__(self, commands: Sequence[Command], *, batch: str = "") -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """Writes under one epoch."""

    epoch: int
    write: Write


def create_fence(call: Call, *, strategy_id: str, epoch: int) -> Fence:
    """The fence of one strategy's keys for one epoch."""
    touched = (keys.lease, keys.state, keys.journal, keys.events, keys.orders)
    names = tuple(key(strategy_id) for key in touched)

    async def write(commands: Sequence[Command], *, batch: str = "") -> None:
        arguments: list[Part] = [len(names), *names, epoch, batch]
        for command in commands:
            arguments.append(len(command))
            arguments.extend(command)
        try:
            try:
                await call("EVALSHA", _SHA, *arguments)
            except RedisRefusedError as error:
                if not str(error).startswith("NOSCRIPT"):
                    raise
                await call("EVAL", _SCRIPT, *arguments)
        except RedisRefusedError as error:
            if str(error).startswith("FENCED"):
                raise FencedError(str(error)) from error
            raise

    return Fence(epoch=epoch, write=write)
