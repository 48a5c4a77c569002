"""Arbitrary sequences of what markets, brokers, people and machines do, and what must hold all the same."""

import pytest
from algo_crds.contracts.orders import Side
from algo_crds.contracts.runtime import Level
from engine_day import CAPABILITIES, Op, begin, ops
from engine_setup import rupees
from hypothesis import given, note
from hypothesis import strategies as st


@pytest.mark.parametrize("broker", list(CAPABILITIES))
@pytest.mark.parametrize("side", list(Side))
@given(sequence=ops, before=st.booleans(), points=st.booleans())
def test_any_sequence_keeps_the_invariants(
    side: Side, broker: str, sequence: list[Op], before: bool, points: bool
) -> None:
    day = begin(
        side,
        broker,
        "09:19:57" if before else "09:19:50",
        stop_loss=Level(points=rupees(20)) if points else Level(bp=100),
    )
    if before:
        day.rig.until("09:19:59")
    else:
        day.rig.until("09:20:02")
    day.check()
    note(repr((side, broker, before, points, sequence)))
    for op in sequence:
        day.apply(op)
    day.finish()
