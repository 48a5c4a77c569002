"""What markets, brokers, people and machines may do to a day, as operations that Hypothesis strings together."""

from typing import Any, Final

from algo_crds.contracts.orders import DOOR_KINDS, RejectKind
from algo_crds.contracts.runtime import Desired
from algo_runner.engine.events import CommandKind
from hypothesis import strategies as st

Op = tuple[Any, ...]

DOOR: Final = sorted(kind.value for kind in DOOR_KINDS)
ORDER: Final = sorted(kind.value for kind in RejectKind if kind not in DOOR_KINDS)
UNSEEN: Final = ["not_sent", "lost", "done", "mute", "mute_done"]
OUTCOMES: Final = st.one_of(
    st.sampled_from(UNSEEN),
    st.sampled_from([f"order:{kind}" for kind in ORDER]),
    st.sampled_from([f"row:{kind}" for kind in ORDER]),
    st.sampled_from([f"door:{kind}" for kind in DOOR]),
)
CALLS: Final = st.sampled_from(["place", "modify", "cancel"])
RESTARTS: Final = ("snapshot", "journal", "book", "old", "lagging")

moves = st.sampled_from([0, 0, 1, -1, 5, -5, 19, -19, 21, -25, -45, 30, 60])
waits = st.sampled_from([0, 100, 250, 400, 1000, 2500, 5000, 12_000, 20_000])
market_ops = st.one_of(
    st.tuples(st.just("tick"), moves),
    st.tuples(st.just("tick"), moves),
    st.tuples(st.just("wait"), waits),
    st.tuples(st.just("wait"), waits),
    st.tuples(st.just("liquidity"), st.sampled_from([None, 1, 3, 0])),
    st.tuples(st.just("sell_time")),
    st.tuples(st.just("feed"), st.booleans()),
    st.tuples(
        st.just("strange_tick"), st.sampled_from(["1970", "saturday", "back", "repeat", "band", "zero", "source"])
    ),
)
broker_ops = st.one_of(
    st.tuples(st.just("latency"), st.sampled_from([0, 50, 700, 3000])),
    st.tuples(st.just("row_delay"), st.sampled_from([0, 300, 2500, 8000])),
    st.tuples(st.just("rows_lost"), st.booleans()),
    st.tuples(st.just("visible"), st.sampled_from([0, 1000, 4000])),
    st.tuples(st.just("band"), st.sampled_from([1800, 1960, 1985])),
    st.tuples(st.just("book_down"), st.booleans()),
    st.tuples(st.just("old_row"), st.integers(0, 30)),
    st.tuples(st.just("odd_row"), st.integers(0, 5), st.sampled_from(["live", "smaller", "filled0", "cancelled_old"])),
    st.tuples(st.just("late_row"), st.integers(0, 30), st.booleans()),
    st.tuples(st.just("periodic_book")),
    st.tuples(st.just("session"), st.booleans()),
    st.tuples(st.just("halted"), st.booleans()),
    st.tuples(st.just("breaker"), st.booleans()),
    st.tuples(st.just("exchange_cancel")),
)
hand_ops = st.one_of(
    st.tuples(st.just("appears")),
    st.tuples(st.just("hand_sell"), st.integers(1, 12)),
    st.tuples(st.just("hand_buy"), st.integers(1, 5)),
)
people_ops = st.one_of(
    st.tuples(st.just("hand_cancel"), st.integers(0, 5)),
    st.tuples(st.just("hand_stop"), st.sampled_from([-10, 5, 10]), st.sampled_from([0, -2])),
    st.tuples(st.just("desired"), st.sampled_from(list(Desired))),
    st.tuples(st.just("command"), st.sampled_from(list(CommandKind))),
    st.tuples(st.just("halts"), st.sampled_from([(), ("halt",)])),
    st.tuples(st.just("stop_loss"), st.sampled_from([50, 100, 300])),
    st.tuples(st.just("journal"), st.booleans()),
)
machine_ops = st.one_of(
    st.tuples(st.just("restart"), st.sampled_from(RESTARTS)),
    st.tuples(st.just("reconnect")),
    st.tuples(st.just("disconnect")),
    st.tuples(st.just("gap")),
)
fault_ops = st.one_of(
    st.tuples(st.just("script"), CALLS, OUTCOMES),
    st.tuples(st.just("provoke"), CALLS, OUTCOMES, st.just(0)),
    st.tuples(st.just("provoke"), CALLS, OUTCOMES, st.just(0)),
    st.tuples(st.just("provoke"), CALLS, st.sampled_from(UNSEEN), st.sampled_from([0, 20, 30])),
)
"""What becomes of the next call of a kind; `provoke` brings about that there is one, and lets some seconds pass."""
faults = st.lists(st.tuples(CALLS, OUTCOMES), max_size=4)
liquidities = st.sampled_from([None, None, None, 3, 1, 0])


def drawn(*groups: st.SearchStrategy[Op]) -> st.SearchStrategy[Op]:
    """A group first, then an operation of it: `one_of` would take from the largest group most often."""
    return st.sampled_from(groups).flatmap(lambda group: group)


clean = drawn(market_ops, market_ops, broker_ops, people_ops, machine_ops, fault_ops)
any_op = drawn(market_ops, broker_ops, people_ops, machine_ops, fault_ops, hand_ops)
LONG: Final = 8
"""Lists without a least length have five operations on average: a day needs more to go wrong in two ways."""
ops = st.one_of(
    st.lists(clean, max_size=40),
    st.lists(clean, min_size=LONG, max_size=40),
    st.lists(clean, min_size=2 * LONG, max_size=40),
    st.lists(any_op, min_size=LONG, max_size=40),
)
"""Mostly without the trader's own trades: after those more may be sold than anybody could prevent."""
