"""Arbitrary sequences of what markets, brokers, people and machines do, and what must hold all the same."""

import pytest
from algo_crds.contracts.orders import Side
from algo_crds.contracts.runtime import Level
from engine_day import CAPABILITIES, day_of
from engine_ops import Op, faults, liquidities, ops
from engine_setup import rupees
from hypothesis import event, given, note
from hypothesis import strategies as st


@pytest.mark.parametrize("broker", list(CAPABILITIES))
@pytest.mark.parametrize("side", list(Side))
@given(sequence=ops, held=st.booleans(), points=st.booleans(), wrong=faults, liquidity=liquidities)
def test_any_sequence_keeps_the_invariants(
    side: Side,
    broker: str,
    sequence: list[Op],
    held: bool,
    points: bool,
    wrong: list[tuple[str, str]],
    liquidity: int | None,
) -> None:
    day = day_of(side, broker, held, wrong, liquidity, Level(points=rupees(20)) if points else Level(bp=100))
    note(repr((side, broker, held, points, wrong, liquidity, sequence)))
    for op in sequence:
        day.apply(op)
    day.finish()
    for kind in sorted(day.rig.met):
        event(kind)  # shown by --hypothesis-show-statistics
