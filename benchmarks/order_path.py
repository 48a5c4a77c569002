"""From the broker's frame to the order bytes of the exit, through the real processes: gateway, runner, gateway.

Every strategy buys, rests its stop, and waits; then a frame reaches its target, and the clock runs from the sending of
that frame until the first bytes of `PUT /orders/...` come back. Strategies go on to their next run, so that one process
gives several samples; its first is shown apart, because in production it is the only one of the day. After each sample
the bare hops (`bare_hops.py`) are measured with the same frame, in the same run. Prints one JSON object last.
"""

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import uvloop
from algo_crds.contracts.clock import IST
from algo_crds.contracts.runtime import Level, Phase
from bare_hops import BareHops
from broker_stub import Stub, frame, token_of
from fleet import SHARES, Fleet, Strategy, fleet, free_port, login, shift_into_session
from report import emit, quantile

GOALS = {"path_p50_us": 400, "path_p99_us": 2000}
TARGET_PAISE = 202_100
BARE_EACH = 2
SYMBOLS = (*SHARES, "LT", "ITC", "AXISBANK", "KOTAKBANK", "MARUTI", "TITAN")
FIRST_S, NEXT_S = 4, 11
"""How far ahead the entries of a round are: before another run the account's positions are read anew, 10 s ahead."""
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


async def sample(stub: Stub, strategy: Strategy) -> float:
    """Microseconds of one breach."""
    stub.put_came.clear()
    sent = stub.tick({strategy.symbol: TARGET_PAISE})
    await asyncio.wait_for(stub.put_came.wait(), 5)
    return (stub.put_at - sent) / 1000


async def quiet(stub: Stub) -> None:
    """Wait for the middle of a second: far from the market's frames and from what they cause."""
    at = stub.now() % 1
    await asyncio.sleep(0.1 if 0.25 <= at < 0.85 else (1.3 - at) % 1)


async def one_round(one: Fleet, stub: Stub, hops: BareHops) -> tuple[list[float], list[float]]:
    """A run of every strategy: its sample, and the bare hops after each."""
    first = one.strategies[0].generation == 0
    local = datetime.fromtimestamp(one.now() + (FIRST_S if first else NEXT_S), IST)
    due = local.hour * 3600 + local.minute * 60 + local.second
    for index, strategy in enumerate(one.strategies):
        one.put_spec(
            strategy,
            quantity=10,
            buy_time=due + index // ENTRIES_A_SECOND,
            sell_time=_DAY_END,
            stop_loss=Level(bp=100),
            target=Level(bp=100),
        )
    await until(lambda: all(protected(one, strategy) for strategy in one.strategies), "protected", one)
    ours: list[float] = []
    bare: list[float] = []
    data = frame([(token_of(0), TARGET_PAISE, 0, 0)])
    for strategy in one.strategies:
        await quiet(stub)
        ours.append(await sample(stub, strategy))
        for _ in range(BARE_EACH):
            await quiet(stub)
            bare.append(await hops.sample(data))
    await until(lambda: all(over(one, strategy) for strategy in one.strategies), "sold", one)
    return ours, bare


async def measure(rounds: int, directory: Path) -> None:
    """The whole measurement."""
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
            results = [await one_round(one, stub, hops) for _ in range(rounds)]
        finally:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking
            hops.stop()
            stub.stop()
    ours = [value for result in results for value in result[0]]
    bare = [value for result in results for value in result[1]]
    emit(
        "order_path",
        {
            "path_p50_us": quantile(ours, 0.5),
            "path_p99_us": quantile(ours, 0.99),
            "path_max_us": max(ours),
            "first_exit_p50_us": quantile(results[0][0], 0.5),
            "first_exit_max_us": max(results[0][0]),
        },
        {
            "path_p50_us": quantile(bare, 0.5),
            "path_p99_us": quantile(bare, 0.99),
            "path_max_us": max(bare),
        },
        len(ours),
        goals=GOALS,
        floor_n=len(bare),
        floor_is="frame > process > process > process > HTTP bytes, picows and uvloop, no logic",
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6, help=f"runs of each of the {len(SYMBOLS)} strategies")
    with tempfile.TemporaryDirectory(prefix="order-path-") as name:
        uvloop.run(measure(parser.parse_args().rounds, Path(name)))


if __name__ == "__main__":
    main()
