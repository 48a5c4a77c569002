"""Conditions of `.status`: the standard list, with a transition time that moves only when the status does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from algo_operator.vocabulary import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition as somebody wants it."""

    type: str
    status: str
    """True, False or Unknown."""
    reason: str
    message: str = ""


def merge(
    current: Sequence[Manifest], wanted: Iterable[Condition], *, generation: int, now: str, drop: Iterable[str] = ()
) -> list[Manifest]:
    """The new list, in order of type.

    Args:
        current: `.status.conditions` as it is.
        wanted: conditions to set; others stay as they are.
        generation: `observedGeneration` of the ones that are set.
        now: RFC 3339 time of a transition.
        drop: types to remove.
    """
    by_type = {one["type"]: one for one in current if one["type"] not in set(drop)}
    for condition in wanted:
        before = by_type.get(condition.type)
        same = before is not None and before["status"] == condition.status
        by_type[condition.type] = {
            "type": condition.type,
            "status": condition.status,
            "reason": condition.reason or "Unspecified",
            "message": condition.message,
            "observedGeneration": generation,
            "lastTransitionTime": before["lastTransitionTime"] if before is not None and same else now,
        }
    return [by_type[name] for name in sorted(by_type)]


def changed(current: Sequence[Manifest], wanted: Sequence[Manifest]) -> list[tuple[str, Manifest]]:
    """Conditions whose status or reason is another than before, with the status before."""
    before = {one["type"]: one for one in current}
    return [
        (before.get(one["type"], {}).get("status", ""), one)
        for one in wanted
        if before.get(one["type"], {}).get("status") != one["status"]
        or before.get(one["type"], {}).get("reason") != one["reason"]
    ]
