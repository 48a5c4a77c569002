"""Why a resource cannot be run: one value for status, events and logs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A reason in PascalCase, and a message that says what to do."""

    reason: str
    message: str
