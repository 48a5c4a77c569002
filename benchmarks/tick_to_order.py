"""From the tick that reaches the target to the first order call of the exit (`Modify` of the resting stop).

(a) In process: the engine decides and the Zerodha adapter builds the request. Every sample begins from the same
protected state: a step leaves it alone but for the market cell, which is set back. What was built before is frozen, as
a runner does when it is ready; the collector is on. The floor is the same work by the bare parts: two comparisons
for a tick without action, and the form encoding of the same request for the order. Beside it, without goal: a breach of
the stop while none rests (a new order instead of a change), and an entry with its intent fsynced.
(b) Through the real processes, beside the bare hops (`order_path.py`): some minutes; `--path-n 0` leaves it out.
"""

import argparse
import copy
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import order_path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "runner" / "tests" / "engine"))

import msgspec  # noqa: E402
from algo_brokers.records import Change, InstrumentRef, NewOrder, OrderRef  # noqa: E402
from algo_brokers.session import Session  # noqa: E402
from algo_brokers.zerodha import requests  # noqa: E402
from algo_crds.contracts import wire  # noqa: E402
from algo_crds.contracts.orders import Leg, Product  # noqa: E402
from algo_crds.contracts.runtime import Level  # noqa: E402
from algo_runner.engine.actions import Journal  # noqa: E402
from algo_runner.engine.events import CLOCK  # noqa: E402
from algo_runner.engine.state import State  # noqa: E402
from algo_runner.engine.step import step  # noqa: E402
from engine_setup import at, make_spec, rupees  # noqa: E402
from engine_world import Rig, bought, started  # noqa: E402
from report import emit, quantile  # noqa: E402

GOALS = {"engine_p50_us": 10, "engine_p99_us": 60, "idle_tick_us": 1.2}
PATH_LIMIT_S = 420
INSTRUMENT = InstrumentRef(exchange="NSE", symbol="RELIANCE")
HELD = Session(
    broker="zerodha", client_id="SM0001", api_key="k" * 16, access_token="t" * 32, login_time=0, valid_until=1 << 50
)


def tick(rig: Rig, price: int, later_ms: int = 1000) -> wire.Tick:
    """A good tick of the rig's market."""
    now = rig.now + later_ms
    return wire.Tick(now=now, price=price, time=now // 1000 * 1000, volume=0, source=rig.state.market.source)


def change_of(action: wire.Modify) -> Change:
    """What the door hands to the adapter."""
    return Change(
        order=OrderRef(
            broker_order_id=action.broker_order_id,
            tag=action.tag,
            instrument=INSTRUMENT,
            product=Product.INTRADAY,
            leg=Leg.STOP,
        ),
        type=action.type,
        quantity=action.quantity,
        price=action.price,
        trigger=action.trigger,
    )


def order_of(action: wire.Place) -> NewOrder:
    """What the door hands to the adapter."""
    return NewOrder(
        tag=action.tag,
        instrument=INSTRUMENT,
        side=action.side,
        type=action.type,
        quantity=action.quantity,
        price=action.price,
        trigger=action.trigger,
        product=action.product,
    )


def cell_resetter(state: State) -> Callable[[], None]:
    """What sets the market cell, which the steps share and write, back to what it is now."""
    market = state.market
    kept = {name: copy.copy(getattr(market, name)) for name in market.__struct_fields__}

    def reset() -> None:
        for name, value in kept.items():
            setattr(market, name, copy.copy(value))

    return reset


def breach(n: int) -> list[float]:
    """Microseconds from the target's tick to the adapter's finished request."""
    rig = bought(spec=make_spec(target=Level(bp=100)))
    rig.advance(1000)
    event, state = tick(rig, rupees(2020)), rig.state
    reset = cell_resetter(state)
    samples = []
    for _ in range(n):
        reset()
        begun = time.perf_counter_ns()
        _, actions = step(state, event, event.now)
        modify = actions[0]
        assert isinstance(modify, wire.Modify)
        requests.modify(HELD, change_of(modify))
        samples.append((time.perf_counter_ns() - begun) / 1000)
    return samples


def naked_breach(n: int) -> list[float]:
    """Microseconds from the tick through the stop level to the adapter's finished new order, while no stop rests."""
    rig = started(now=at("09:19:50"))
    rig.script["place"].extend(["accept", *["door:BrokerDown"] * 20])
    rig.until("09:20:02")
    event, state = tick(rig, rupees(1970)), rig.state
    reset = cell_resetter(state)
    samples = []
    for _ in range(n):
        reset()
        begun = time.perf_counter_ns()
        _, actions = step(state, event, event.now)
        place = next(action for action in actions if isinstance(action, wire.Place))
        requests.place(HELD, order_of(place))
        samples.append((time.perf_counter_ns() - begun) / 1000)
        assert place.leg is Leg.EXIT
    return samples


def request_floor(n: int) -> list[float]:
    """Microseconds to encode the same form and nothing else."""
    fields = {"order_type": "LIMIT", "quantity": "10", "price": "2015.95", "trigger_price": "0"}
    samples = []
    for _ in range(n):
        begun = time.perf_counter_ns()
        urlencode(fields).encode()
        samples.append((time.perf_counter_ns() - begun) / 1000)
    return samples


def idle(n: int) -> float:
    """Microseconds of a good tick that asks for nothing, its checks included; ticks are decoded beforehand.

    The ticks of ten minutes are taken again and again: a runner's tick is in the cache too, it has just been decoded.
    """
    rig = bought()
    rig.advance(1000)
    base, state = rig.now, rig.state
    reset = cell_resetter(state)
    ticks = [
        wire.Tick(
            now=base + index * 1000,
            price=rupees(2001) + (index % 7) * 500,
            time=(base // 1000 + index) * 1000,
            source=state.market.source,
        )
        for index in range(1, 601)
    ]
    spent = 0
    for _ in range(max(1, n // len(ticks))):
        reset()
        begun = time.perf_counter_ns()
        for event in ticks:
            state, actions = step(state, event, event.now)
        spent += time.perf_counter_ns() - begun
        assert not actions
        assert state.market.time == ticks[-1].time, "a tick was not taken"
        assert not state.market.rejected
    return spent / (max(1, n // len(ticks)) * len(ticks)) / 1000


def idle_floor(n: int) -> float:
    """Microseconds of two integer comparisons in a call."""
    low, high = rupees(1980), rupees(2100)

    def inside(price: int) -> bool:
        return low < price < high

    price = rupees(2001)
    begun = time.perf_counter_ns()
    for _ in range(n):
        inside(price)
    return (time.perf_counter_ns() - begun) / n / 1000


def entry_with_intent(n: int) -> list[float]:
    """Microseconds from the entry's instant to the adapter's finished request, the intent fsynced in between."""
    rig = started()
    rig.until("09:19:59")
    due, state = at("09:20:00"), rig.state
    reset = cell_resetter(state)
    samples = []
    with tempfile.NamedTemporaryFile(dir=ROOT) as journal:
        for _ in range(n):
            reset()
            begun = time.perf_counter_ns()
            _, actions = step(state, CLOCK, due)
            for action in actions:
                if isinstance(action, Journal):
                    journal.write(msgspec.json.encode(action.entry))
                    journal.flush()
                    os.fsync(journal.fileno())
                elif isinstance(action, wire.Place):
                    requests.place(HELD, order_of(action))
            samples.append((time.perf_counter_ns() - begun) / 1000)
            assert any(isinstance(action, wire.Place) for action in actions)
    return samples


def warm(run: Callable[[int], object]) -> None:
    """Let caches fill before anything is counted."""
    run(200)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=5_000)
    parser.add_argument("--path-n", type=int, default=300, help="exits through the real processes")
    arguments = parser.parse_args()
    n = arguments.n
    # First, while nothing is frozen here yet.
    path = order_path.measured(arguments.path_n, PATH_LIMIT_S) if arguments.path_n else None
    for run in (breach, naked_breach, request_floor, idle, entry_with_intent):
        warm(run)
    gc.collect()
    gc.freeze()
    ours, bare, naked = breach(n), request_floor(n), naked_breach(n)
    entries = entry_with_intent(max(50, n // 20))
    emit(
        "tick_to_order",
        {
            "engine_p50_us": quantile(ours, 0.5),
            "engine_p99_us": quantile(ours, 0.99),
            "idle_tick_us": idle(n * 10),
            "no_stop_p50_us": quantile(naked, 0.5),
            "no_stop_p99_us": quantile(naked, 0.99),
            "entry_fsync_p50_us": quantile(entries, 0.5),
            "entry_fsync_p99_us": quantile(entries, 0.99),
            **(order_path.path_metrics(path) if path else {}),
        },
        {
            "engine_p50_us": quantile(bare, 0.5),
            "engine_p99_us": quantile(bare, 0.99),
            "idle_tick_us": idle_floor(n * 10),
            **(order_path.path_floor(path) if path else {}),
        },
        n,
        goals=GOALS | (order_path.GOALS if path else {}),
        path_n=len(path.ours) if path else 0,
        path_first_n=len(path.first) if path else 0,
        path_floor_is=order_path.FLOOR,
        entries_n=len(entries),
        collector="on; what was built before is frozen, as in a runner",
    )


if __name__ == "__main__":
    main()
