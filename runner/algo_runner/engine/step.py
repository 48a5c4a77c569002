"""The engine's one function."""

from typing import Final

from algo_runner.engine.actions import Action
from algo_runner.engine.events import Event
from algo_runner.engine.state import State

NOTHING: Final[tuple[Action, ...]] = ()


def step(state: State, event: Event, now: int) -> tuple[State, tuple[Action, ...]]:
    """The state after an event at session time `now` (ms), and what is to be done, in order. Never raises."""
    return state, NOTHING
