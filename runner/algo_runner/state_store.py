"""The execution state in Redis, under the names that were asked for, beside the view for people and the snapshot.

Written at most every 100 ms when something happened, every second when only the price moved, and never on the way of an
order. Redis that was emptied is filled again by the next write, because every write holds everything.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
from algo_crds.contracts import keys
from algo_crds.contracts.money import format_price
from algo_crds.contracts.orders import Side
from algo_crds.contracts.runtime import Phase, StrategyView, encode, without_figures

from algo_runner.engine.state import State, snapshot
from algo_runner.engine.view import view
from algo_runner.fence import Command, Fence, FencedError
from algo_runner.order_times import OrderTimes
from algo_runner.redis_link import RedisAwayError, RedisRefusedError
from algo_runner.session_clock import SessionClock
from algo_runner.unprotected import UnprotectedTime

log: Final = logging.getLogger("algo_runner.state")
CHANGE_S: Final = 0.1
REST_S: Final = 0.005
"""Between a change and its writing: an order leaves first, and what follows it is written with it."""
PRICE_S: Final = 1.0
_STATUS: Final = {
    Phase.WAITING: "WAITING",
    Phase.BOUGHT: "BOUGHT",
    Phase.SOLD: "SOLD",
    Phase.STOPPED: "STOPPED",
    Phase.FAILED: "STOPPED",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What the shell keeps beside the engine's state."""

    unprotected_total: int
    unprotected_since: int
    commands_id: str
    order_times: bytes


def hash_fields(state: State, shown: StrategyView, extra: Extra) -> dict[str, str | bytes]:
    """The fields of `strategy:{id}:state`; prices as decimal rupees, times as exchange time."""
    spec = state.spec.spec
    by_side = {order.side: order.broker_order_id or "" for order in shown.orders}
    market = {"price": format_price(shown.last_price), "time": shown.last_tick, "ticks": shown.ticks_seen}
    return {
        "strategy_id": shown.strategy_id,
        "symbol": spec.symbol,
        "current_price": format_price(shown.last_price),
        "buy_time": _clock_time(spec.buy_time),
        "sell_time": _clock_time(spec.sell_time),
        "stop_loss": format_price(shown.stop_price or spec.stop_loss.price or 0),
        "quantity": str(spec.quantity),
        "status": _STATUS[shown.phase],
        "buy_order_id": by_side.get(Side.BUY, ""),
        "sell_order_id": by_side.get(Side.SELL, ""),
        "last_action": shown.last_action,
        "market_data": msgspec.json.encode(market),
        "errors": msgspec.json.encode(shown.errors),
        "view": encode(shown),
        "engine": snapshot(state),
        "unprotected_total": str(extra.unprotected_total),
        "unprotected_since": str(extra.unprotected_since),
        "commands_id": extra.commands_id,
        "order_times": extra.order_times,
    }


def _clock_time(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


class StateStore:
    """Writes the state when it has changed; `run` until cancelled."""

    def __init__(
        self,
        fence: Fence,
        *,
        strategy_id: str,
        clock: SessionClock,
        unprotected: UnprotectedTime,
        order_times: OrderTimes,
        commands_id: Callable[[], str],
        notify: Command,
    ) -> None:
        self._fence = fence
        self._key = keys.state(strategy_id)
        self._clock = clock
        self._unprotected = unprotected
        self._order_times = order_times
        self._commands_id = commands_id
        self._notify = notify
        self._state: State | None = None
        self._urgent = asyncio.Event()
        self._dirty = False
        self._told: StrategyView | None = None
        """What the last notice told, without its figures: an unchanged book is no news."""

    def changed(self, state: State, urgent: bool) -> None:
        """Take the newest state; a price alone is not urgent."""
        self._state = state
        self._dirty = True
        if urgent:
            self._unprotected.observe(state.unprotected_since != 0, self._clock.wall_ms())
            self._urgent.set()

    def poke(self) -> None:
        """Redis is back: write everything."""
        self._dirty = True
        self._told = None
        self._urgent.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            try:
                async with asyncio.timeout(PRICE_S):
                    await self._urgent.wait()
            except TimeoutError:
                pass
            urgent = self._urgent.is_set()
            if urgent:
                await asyncio.sleep(REST_S)
            self._urgent.clear()
            if self._dirty:
                try:
                    await self.flush(tell=urgent)
                except Exception:  # people's copy only: whatever is wrong with it, the trading goes on
                    log.exception("the state was not written")
            await asyncio.sleep(CHANGE_S)

    async def flush(self, *, tell: bool = True) -> None:
        """Write the newest state now; `tell` publishes it, if more has changed than figures."""
        state = self._state
        if state is None:
            return
        self._dirty = False
        wall = self._clock.wall_ms()
        self._order_times.keep(state.orders)
        shown = self._order_times.filled(view(state, self._clock.now()))
        shown = msgspec.structs.replace(shown, unprotected_ms=self._unprotected.read(wall))
        extra = Extra(
            unprotected_total=self._unprotected.total,
            unprotected_since=self._unprotected.since,
            commands_id=self._commands_id(),
            order_times=self._order_times.text(),
        )
        fields = hash_fields(state, shown, extra)
        commands: list[Command] = [("HSET", self._key, *(part for item in fields.items() for part in item))]
        news = without_figures(shown)
        tell = tell and news != self._told
        if tell:
            commands.append(self._notify)
        try:
            await self._fence.write(commands)
            if tell:
                self._told = news
        except RedisAwayError:
            self._dirty = True
        except FencedError:
            log.warning("state not written: another runner owns it")
        except RedisRefusedError as error:
            log.error("Redis refused the state: %s", error)
