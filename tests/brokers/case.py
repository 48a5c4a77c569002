"""A numbered case of the broker matrix, and the list of all."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from desk import Desk

Act = Callable[[Desk], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """One thing that every broker must do alike."""

    number: str
    title: str
    act: Act
    exempt: dict[str, str] = field(default_factory=dict)
    """Reason by broker that has no such thing."""
    logged_in: bool = True
    world: dict[str, Any] = field(default_factory=dict)
    """What the world is made with."""


CASES: Final[dict[str, Case]] = {}


def case(
    number: str,
    title: str,
    *,
    exempt: dict[str, str] | None = None,
    logged_in: bool = True,
    world: dict[str, Any] | None = None,
) -> Callable[[Act], Act]:
    """Put a case into the list; each number is used once."""

    def put(act: Act) -> Act:
        assert number not in CASES, f"{number} is used twice"
        CASES[number] = Case(number, title, act, exempt or {}, logged_in, world or {})
        return act

    return put
