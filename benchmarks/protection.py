"""How long after a fill the stop is confirmed, and whether anything is naked when the runners are killed.

A real simulator process, one gateway, and a runner for each share: every strategy buys again and again on one day of a
market that waits for it. `protect` is wall time between two of the runner's own events, the fill and the condition
`Protected`, in whole milliseconds. The floor is the simulator's own part: a bare client places a stop and takes its
row, in the same process and the same lockstep. `protect_beyond_p99_ms` is what is left of the worst percent without it.

In the first run all runners are killed with SIGKILL while their stops rest, and started anew later. Meanwhile the
simulator's book is read as often as it answers: `naked_s` is the time in which shares were held without a resting stop
for all of them. Prints one JSON object last.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from datetime import time as clock_time
from pathlib import Path
from typing import Any

import uvloop
from algo_crds.contracts.clock import instant
from algo_crds.contracts.orders import Side
from algo_crds.contracts.runtime import ConditionEvent, FillEvent, Level, StrategyEvent, StrategyView
from fleet import EPOCH, SHARES, Fleet, Strategy, fleet, login
from report import emit, quantile
from simulated_broker import DAY, Broker, round_trips, simulated_broker

GOALS = {"protect_beyond_p99_ms": 50, "naked_s": 0}
SPEED = 30
AHEAD_S, HELD_S = 20, 10
"""Ten seconds after its last fill a strategy may enter again: the account's positions show it then."""
DEAD_S, AFTER_S = 24.0, 2.0
"""The market waits 20 seconds for a runner that is gone; then it moves without it."""
FIRST_BUY_S = 9 * 3600 + 16 * 60
FIRST_HELD_S = 420
LATEST_BUY_S = 15 * 3600


def midnight() -> int:
    """The beginning of the market's day (ms)."""
    return instant(date.fromisoformat(DAY), clock_time(0))


def samples_of(events: list[StrategyEvent]) -> list[int]:
    """Wall milliseconds from each fill of an entry to the confirmed stop."""
    found: list[int] = []
    filled_at = 0
    for event in events:
        if isinstance(event, FillEvent) and event.side is Side.BUY:
            filled_at = filled_at or event.wall_time
        elif isinstance(event, ConditionEvent) and event.name == "Protected" and event.current == "True" and filled_at:
            found.append(event.wall_time - filled_at)
            filled_at = 0
    return found


def is_protected(view: StrategyView | None) -> bool:
    """Whether the stop is confirmed."""
    return view is not None and "Protected" in view.conditions and view.conditions["Protected"].status == "True"


def naked(account: dict[str, Any]) -> bool:
    """Whether the account holds shares that no resting stop covers."""
    resting: dict[str, int] = {}
    for order in account["orders"]:
        if order["side"] == "Sell" and order["status"] in ("TriggerPending", "Triggered"):
            resting[order["symbol"]] = resting.get(order["symbol"], 0) + order["quantity"] - order["filled"]
    return any(one["quantity"] > resting.get(one["symbol"], 0) for one in account["positions"])


@dataclass
class Watch:
    """What was seen of the account's book."""

    looks: int = 0
    naked_s: float = 0.0
    watched_s: float = 0.0
    longest_gap_s: float = 0.0
    held: int = 0
    moved_s: float = 0.0
    """How far the market moved without any runner."""
    now: int = 0
    """The market's time at the newest look (ms)."""

    async def run(self, broker: Broker) -> None:
        """Look until cancelled; an interval counts as naked when its end is."""
        before = begun = time.monotonic()
        while True:
            book = await broker.call("GET", "/worlds/protect/book")
            now = time.monotonic()
            account = book["accounts"]["SM0001"]
            self.now = book["now"]
            self.held = max(self.held, sum(one["quantity"] > 0 for one in account["positions"]))
            if naked(account):
                self.naked_s += now - before
            self.longest_gap_s = max(self.longest_gap_s, now - before)
            self.looks += 1
            self.watched_s, before = now - begun, now
            await asyncio.sleep(0.002)


async def until(holds: Callable[[], bool], what: str, one: Fleet, deadline_s: float = 60) -> None:
    """Poll until a condition holds.

    Raises:
        TimeoutError: it did not; the ends of all logs are part of the message.
    """
    end = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() > end:
            logs = "\n".join(f"{path.name}: {path.read_text()[-600:]}" for path in one.directory.glob("*.log"))
            raise TimeoutError(f"not in time: {what}\n{logs}\n{[one.view(strategy) for strategy in one.strategies]}")
        await asyncio.sleep(0.05)


def buy(one: Fleet, strategy: Strategy, at_s: int, held_s: int) -> None:
    """Another run."""
    one.put_spec(strategy, quantity=10, buy_time=at_s, sell_time=at_s + held_s, stop_loss=Level(bp=500))


async def killed(one: Fleet, broker: Broker) -> Watch:
    """Kill every runner in its first run, start them anew, and watch the book all the while."""
    watch = Watch()
    await until(lambda: all(is_protected(one.view(strategy)) for strategy in one.strategies), "protected", one)
    watching = asyncio.create_task(watch.run(broker))
    await asyncio.sleep(0.2)
    for strategy in one.strategies:
        assert strategy.process is not None
        strategy.process.kill()
        strategy.process.wait()
    at_kill = watch.now
    await asyncio.sleep(DEAD_S)
    watch.moved_s = (watch.now - at_kill) / 1000
    for strategy in one.strategies:
        one.start_runner(strategy, EPOCH + 1)
    await until(
        lambda: all((v := one.view(s)) is not None and v.epoch == EPOCH + 1 for s in one.strategies), "back", one
    )
    await asyncio.sleep(AFTER_S)
    assert not watching.done(), watching.result()
    watching.cancel()
    return watch


async def runs(one: Fleet, n: int, limit_s: float) -> None:
    """Let every strategy run again and again until enough entries were protected."""
    begun, counted = time.monotonic(), 0.0
    ends = dict.fromkeys((strategy.id for strategy in one.strategies), 0)
    while time.monotonic() < begun + limit_s:
        for strategy in one.strategies:
            view = one.view(strategy)
            if view is None or not view.final or view.generation != strategy.generation:
                continue
            second = (view.now - midnight()) // 1000
            if second < ends[strategy.id] or second + AHEAD_S > LATEST_BUY_S:
                continue
            ends[strategy.id] = second + AHEAD_S
            buy(one, strategy, second + AHEAD_S, HELD_S)
        if time.monotonic() > counted + 2:
            counted = time.monotonic()
            if sum(len(samples_of(one.events(strategy))) for strategy in one.strategies) >= n:
                return
        await asyncio.sleep(0.1)


async def measure(n: int, limit_s: float, directory: Path) -> None:
    """The whole measurement."""
    async with simulated_broker(directory) as broker:
        with fleet(directory) as one:
            bare = await round_trips(broker, n)
            token = await broker.make_world("protect", SHARES, SPEED, "SM0001")
            one.start_gateway(
                login("keyprotect", token),
                CLIENT_ID="SM0001",
                ENVIRONMENT="Simulator",
                SIMULATED_BROKER_URL=broker.kite,
                MARKET_SOCKET_URL=broker.kite.replace("http", "ws"),
                WORLD_CLOCK_URL=f"{broker.control.replace('http', 'ws')}/clock",
                WORLD_TOKEN_FILE=str(broker.token_file),
            )
            await one.lift_halts()
            for index, symbol in enumerate(SHARES):
                strategy = one.add(symbol)
                buy(one, strategy, FIRST_BUY_S + 5 * index, FIRST_HELD_S)
                one.start_runner(strategy)
            await until(lambda: all(one.view(strategy) is not None for strategy in one.strategies), "armed", one)
            await broker.call("POST", "/worlds/protect/start")
            watch = await killed(one, broker)
            await runs(one, n, limit_s)
            world = await broker.call("GET", "/worlds/protect")
            times = [float(value) for strategy in one.strategies for value in samples_of(one.events(strategy))]
        asked = sum(strategy.generation for strategy in one.strategies)
    tell(times, bare, watch, world | {"asked": asked})


def tell(times: list[float], bare: list[float], watch: Watch, world: dict[str, Any]) -> None:
    """Print the report."""
    floor = {"protect_p50_ms": quantile(bare, 0.5), "protect_p99_ms": quantile(bare, 0.99)}
    metrics = {
        "protect_p50_ms": quantile(times, 0.5),
        "protect_p99_ms": quantile(times, 0.99),
        "protect_max_ms": max(times),
        "protect_beyond_p99_ms": quantile(times, 0.99) - floor["protect_p50_ms"],
        "naked_s": watch.naked_s,
    }
    emit(
        "protection",
        metrics,
        floor,
        len(times),
        goals=GOALS,
        floor_n=len(bare),
        killed={
            "runners": len(SHARES),
            "positions_held": watch.held,
            "watched_s": round(watch.watched_s, 1),
            "dead_s": DEAD_S,
            "market_moved_while_dead_s": watch.moved_s,
            "looks": watch.looks,
            "longest_gap_ms": round(watch.longest_gap_s * 1000, 1),
        },
        runs_asked=world["asked"],
        speed=world["speed"],
        barrier_timeouts=world["barrier_timeouts"],
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200, help="entries")
    parser.add_argument("--limit-s", type=float, default=240, help="wall time for the entries")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="protection-") as name:
        uvloop.run(measure(arguments.n, arguments.limit_s, Path(name)))


if __name__ == "__main__":
    main()
