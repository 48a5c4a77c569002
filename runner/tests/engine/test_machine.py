"""The machine of arbitrary sequences brings what it is meant to bring: every kind of event, in few examples."""

from collections import Counter

from engine_day import Day, days
from engine_kinds import EXPECTED
from engine_ops import Op, ops
from hypothesis import Phase, given, seed, settings

RUNS = 30
"""Runs of their own: the examples of one run are much alike."""
SEQUENCES = 15


def test_every_kind_of_event_is_among_the_sequences() -> None:
    met: Counter[str] = Counter()
    for run in range(RUNS):

        @seed(run)
        @settings(max_examples=SEQUENCES, database=None, phases=[Phase.generate])
        @given(sequence=ops, day=days)
        def live(sequence: list[Op], day: Day) -> None:
            for op in sequence:
                day.apply(op)
            met.update(day.rig.met)

        live()
    missing = EXPECTED - met.keys()
    assert not missing, (sorted(missing), met.most_common())
