"""From the broker's frame to the order bytes of the exit, through the real processes: gateway, runner, gateway.

Every strategy buys, rests its stop, and waits; then a frame reaches its target, and the clock runs from the sending of
that frame until the first bytes of `PUT /orders/...` come back. Whoever has sold buys again, so that one process gives
many samples; its first is shown apart, because in production it is the only one of the day. After each sample the bare
hops (`bare_hops.py`) are measured with the same frame, in the same run. `tick_to_order.py` runs it.
"""

import asyncio
import contextlib
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import uvloop
from algo_crds.contracts.clock import IST
from algo_crds.contracts.runtime import Level, Phase
from bare_hops import BareHops
from broker_stub import Stub, frame, token_of
from fleet import SHARES, Fleet, Strategy, fleet, free_port, login, shift_into_session
from report import quantile

GOALS = {"path_p50_us": 400, "path_p99_us": 2000}
FLOOR = "frame > process > process > process > HTTP bytes, picows and uvloop, no logic"
TARGET_PAISE = 202_100
SYMBOLS = (*SHARES, "LT", "ITC", "AXISBANK", "KOTAKBANK", "MARUTI", "TITAN", "WIPRO", "NTPC", "ONGC", "HCLTECH")
FIRST_S, NEXT_S = 6, 2
"""How far ahead a run's entry is. Another run enters ten seconds after the last fill of the one before, when the
account's positions can show it."""
ENTRIES_A_SECOND = 3
"""An entry needs two places in the door's window of eight orders a second."""
_DAY_END = 15 * 3600


async def until(holds: Callable[[], bool], what: str, one: Fleet, deadline_s: float = 40) -> None:
    """Poll until a condition holds.

    Raises:
        TimeoutError: it did not; the end of each process's log is part of the message.
    """
    end = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() > end:
            logs = "\n".join(f"{path.name}: {path.read_text()[-800:]}" for path in one.directory.glob("*.log"))
            views = [one.view(strategy) for strategy in one.strategies]
            raise TimeoutError(f"not in time: {what}\n{logs}\n{views[:1]}")
        await asyncio.sleep(0.1)


async def tick_each_second(stub: Stub) -> None:
    """A quiet market: one frame of all symbols a second, with the time of the second that has just ended."""
    while True:
        await asyncio.sleep(1.1 - stub.now() % 1)
        stub.tick(lag_s=1)


def protected(one: Fleet, strategy: Strategy) -> bool:
    """Whether the stop of the newest run is confirmed."""
    view = one.view(strategy)
    if view is None or view.generation != strategy.generation or "Protected" not in view.conditions:
        return False
    return view.conditions["Protected"].status == "True"


def over(one: Fleet, strategy: Strategy) -> bool:
    """Whether the run is over."""
    view = one.view(strategy)
    return view is not None and view.phase is Phase.SOLD and view.final


async def sample(one: Fleet, stub: Stub, strategy: Strategy) -> float:
    """Microseconds of one breach.

    Raises:
        TimeoutError: no order came; what the strategy believes is part of the message.
    """
    before = one.view(strategy)
    stub.put_came.clear()
    sent = stub.tick({strategy.symbol: TARGET_PAISE})
    try:
        await asyncio.wait_for(stub.put_came.wait(), 5)
    except TimeoutError:
        raise TimeoutError(f"no exit of {strategy.symbol}: {before} became {one.view(strategy)}") from None
    return (stub.put_at - sent) / 1000


async def quiet(stub: Stub) -> None:
    """Wait for the middle of a second: far from the market's frames and from what they cause."""
    at = stub.now() % 1
    await asyncio.sleep(0.1 if 0.25 <= at < 0.85 else (1.3 - at) % 1)


def arm(one: Fleet, strategy: Strategy, in_s: int) -> None:
    """Another run, its entry some seconds ahead."""
    local = datetime.fromtimestamp(one.now() + in_s, IST)
    one.put_spec(
        strategy,
        quantity=10,
        buy_time=local.hour * 3600 + local.minute * 60 + local.second,
        sell_time=_DAY_END,
        stop_loss=Level(bp=100),
        target=Level(bp=100),
    )


@dataclass
class Samples:
    """Microseconds: of the first exit of each process, of all exits, and of the bare hops."""

    first: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


async def exits(one: Fleet, stub: Stub, hops: BareHops, n: int, limit_s: float) -> Samples:
    """Sample whoever is protected, and let whoever has sold buy again, until there are enough."""
    found, end = Samples(), time.monotonic() + limit_s
    data = frame([(token_of(0), TARGET_PAISE, 0, 0)])
    for index, strategy in enumerate(one.strategies):
        arm(one, strategy, FIRST_S + index // ENTRIES_A_SECOND)
    done: dict[str, int] = {}
    armed: deque[float] = deque(maxlen=ENTRIES_A_SECOND)
    while len(found.ours) < n and time.monotonic() < end:
        for strategy in one.strategies:
            if over(one, strategy) and (len(armed) < ENTRIES_A_SECOND or time.monotonic() > armed[0] + 1):
                armed.append(time.monotonic())
                arm(one, strategy, NEXT_S)
        ready = [
            strategy
            for strategy in one.strategies
            if strategy.generation > done.get(strategy.id, 0) and protected(one, strategy)
        ]
        if not ready:
            await asyncio.sleep(0.1)
        for strategy in ready:
            done[strategy.id] = strategy.generation  # what people see of it lags behind
            await quiet(stub)
            found.ours.append(await sample(one, stub, strategy))
            if strategy.generation == 1:
                found.first.append(found.ours[-1])
            await quiet(stub)
            found.bare.append(await hops.sample(data))
    return found


async def measure(n: int, limit_s: float, directory: Path) -> Samples:
    """The whole measurement, in a folder for the logs and sockets of the processes."""
    hops = BareHops()
    with fleet(directory, shift_into_session()) as one:
        stub = Stub(SYMBOLS, one.now)
        rest, feed = await stub.start()
        endpoints = {"SIMULATED_BROKER_URL": f"http://127.0.0.1:{rest}", "MARKET_SOCKET_URL": f"ws://127.0.0.1:{feed}"}
        one.start_gateway(login("k" * 16, "t" * 32), **endpoints)
        await one.lift_halts()
        await until(lambda: stub.socket is not None, "the gateway's feed", one)
        ticking = asyncio.create_task(tick_each_second(stub))
        try:
            for symbol in SYMBOLS:
                one.start_runner(one.add(symbol))
            await hops.start(free_port())
            for _ in range(20):  # let caches fill
                await hops.sample(b"\0" * 188)
            found = await exits(one, stub, hops, n, limit_s)
        finally:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking
            hops.stop()
            stub.stop()
    return found


def measured(n: int, limit_s: float) -> Samples:
    """`n` exits through processes of their own, or as many as the time lets."""
    with tempfile.TemporaryDirectory(prefix="order-path-") as name:
        return uvloop.run(measure(n, limit_s, Path(name)))


def path_metrics(found: Samples) -> dict[str, float]:
    """Ours."""
    return {
        "path_p50_us": quantile(found.ours, 0.5),
        "path_p99_us": quantile(found.ours, 0.99),
        "path_max_us": max(found.ours),
        "first_exit_p50_us": quantile(found.first, 0.5),
        "first_exit_max_us": max(found.first),
    }


def path_floor(found: Samples) -> dict[str, float]:
    """The same hops with nothing done in them."""
    return {
        "path_p50_us": quantile(found.bare, 0.5),
        "path_p99_us": quantile(found.bare, 0.99),
        "path_max_us": max(found.bare),
    }
