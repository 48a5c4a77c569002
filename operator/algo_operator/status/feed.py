"""From Redis to reconciles: who changed, coalesced; and a sweep for what no message told.

Runners and gateways publish on their own channel after each change. Messages of one object within 250 ms become one
look. Pub/sub loses messages, so a sweep reads all views every ten seconds and looks at the ones that differ.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from algo_crds.contracts.keys import ACCOUNT_NOTIFY_PATTERN, NOTIFY_PATTERN
from algo_crds.contracts.runtime import StrategyView, without_figures
from redis.asyncio import Redis
from redis.exceptions import RedisError

from algo_operator.context import Context, Memory
from algo_operator.metrics import RUNTIME_UP
from algo_operator.ports import RuntimeUnavailableError
from algo_operator.vocabulary import Key

logger = logging.getLogger(__name__)

COALESCE_SECONDS: Final = 0.25
_BATCH: Final = 500
_PAUSE_SECONDS: Final = 1.0
_FIGURES_SECONDS: Final = 60.0


def changed_key(memory: Memory, channel: str) -> Key | None:
    """The resource that a channel `strategy:{id}:notify` or `account:{id}:notify` speaks of."""
    _, identifier, *_ = channel.split(":")
    return memory.keys.get(identifier)


async def listen(context: Context, redis: "Redis") -> None:
    """Follows the channels until cancelled; reconnects."""
    while True:
        try:
            async with redis.pubsub() as channels:
                await channels.psubscribe(NOTIFY_PATTERN, ACCOUNT_NOTIFY_PATTERN)
                RUNTIME_UP.set(1)
                await _follow(context, channels)
        except (RedisError, OSError, TimeoutError) as error:
            RUNTIME_UP.set(0)
            logger.warning("Redis cannot be followed, next try in %.0f s: %s", _PAUSE_SECONDS, error)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _follow(context: Context, channels: Any) -> None:
    while True:
        message = await channels.get_message(ignore_subscribe_messages=True, timeout=30.0)
        if message is None or message["data"] == b"spec":  # our own word to the runner
            continue
        key = changed_key(context.memory, message["channel"].decode())
        if key is not None:
            context.queue.add_later(key, COALESCE_SECONDS)


@dataclass(slots=True)
class Sweep:
    """What the last sweep saw."""

    seen: dict[Key, str] = field(default_factory=dict)
    reachable: bool = True
    figures: dict[Key, tuple[tuple[int, int], float]] = field(default_factory=dict)
    monotonic: Callable[[], float] = time.monotonic

    async def run(self, context: Context, wake: Callable[[Key], None]) -> None:
        """One sweep over all strategies and accounts.

        Raises:
            RuntimeUnavailableError: Redis does not answer.
        """
        strategies = list(context.memory.strategies.items())
        for start in range(0, len(strategies), _BATCH):
            await self._strategies(context, strategies[start : start + _BATCH], wake)
        accounts = list(context.memory.accounts.items())
        for start in range(0, len(accounts), _BATCH):
            await self._accounts(context, accounts[start : start + _BATCH], wake)

    async def _strategies(self, context: Context, batch: list[tuple[Key, str]], wake: Callable[[Key], None]) -> None:
        ids = [identifier for _, identifier in batch]
        views = await context.runtime.views(ids)
        lost, silent = await context.runtime.missing(ids)
        for (key, identifier), view in zip(batch, views, strict=True):
            alone = identifier in context.memory.exposed and identifier in silent
            if (
                self._differs(key, _print_of(view))
                or identifier in lost
                or alone
                or self._figures_due(context, key, view)
            ):
                wake(key)

    async def _accounts(self, context: Context, batch: list[tuple[Key, str]], wake: Callable[[Key], None]) -> None:
        states = await context.runtime.accounts([identifier for _, identifier in batch])
        for (key, _), state in zip(batch, states, strict=True):
            if self._differs(key, repr(sorted(state.items()))):
                wake(key)

    def _figures_due(self, context: Context, key: Key, view: StrategyView | None) -> bool:
        """Whether figures have moved and were not looked at for a while: a price alone must not cost a reconcile,
        unless the tenant's loss of the day is limited."""
        if view is None:
            return False
        figures = (view.last_price, view.pnl)
        before, at = self.figures.get(key, (figures, 0.0))
        now = self.monotonic()
        wait = 0.0 if key.namespace in context.memory.loss_limits else _FIGURES_SECONDS
        if before == figures or now - at < wait:
            self.figures.setdefault(key, (figures, now))
            return False
        self.figures[key] = (figures, now)
        return True

    def _differs(self, key: Key, print_: str) -> bool:
        before = self.seen.get(key)
        self.seen[key] = print_
        return before is not None and before != print_


def _print_of(view: StrategyView | None) -> str:
    """A digest of what matters at once for `.status`."""
    if view is None:
        return ""
    return hashlib.sha256(msgspec.json.encode(without_figures(view))).hexdigest()


async def sweep_loop(context: Context) -> None:
    """Sweeps until cancelled; when Redis is back after it was away, everything is looked at again."""
    sweep = Sweep()
    while True:
        await asyncio.sleep(context.settings.sweep_seconds)
        try:
            await sweep.run(context, context.wake)
        except RuntimeUnavailableError as error:
            RUNTIME_UP.set(0)
            logger.warning("%s: the sweep is left out", error)
            sweep.reachable = False
            continue
        RUNTIME_UP.set(1)
        if not sweep.reachable:
            sweep.reachable = True
            for key in (*context.memory.strategies, *context.memory.accounts):
                context.wake(key)
