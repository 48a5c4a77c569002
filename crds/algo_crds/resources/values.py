"""Values that fields of several kinds share: money, percentages, times, names.

Money is a JSON number in a resource and a `Decimal` here. The API server holds it as a double, so a rule says that the
double must be the one nearest to a number of four decimals: then both sides see the same amount.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from algo_crds.resources.rules import Checked, Rule, SpecPart

TIME_PATTERN: Final = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
NAME_PATTERN: Final = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
ID_PATTERN: Final = "^(usr|str|brk|ord|queue|src|tnt)_[0-9a-hjkmnp-tv-z]{26}$"
MAX_RUPEES: Final = 10_000_000


def _number(value: Any) -> Any:
    """Text is no number in JSON, and a bool is none anywhere."""
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


def _decimals(digits: int) -> Rule:
    scale = 10**digits
    return Rule(
        cel=(
            f"self > {MAX_RUPEES}.0 || self < 0.0 || "  # beyond what another rule lets pass, int() would overflow
            f"self == double(int(self * {scale}.0 + 0.5)) / {scale}.0"
        ),
        message=f"must have at most {'two' if digits == 2 else 'four'} decimals",
        holds=lambda value: value * scale == (value * scale).to_integral_value(),
    )


def _above_zero(what: str) -> Rule:
    return Rule(cel="self > 0.0", message=f"{what} must be greater than 0", holds=lambda value: value > 0)


_RUPEES_MAX: Final = Rule(
    cel=f"self <= {MAX_RUPEES}.0",
    message=f"must not be above {MAX_RUPEES} rupees",
    holds=lambda value: value <= MAX_RUPEES,
)
_PERCENT: Final = Rule(
    cel="self > 0.0 && self < 100.0",
    message="percent must be greater than 0 and less than 100",
    holds=lambda value: 0 < value < 100,
)
_TIME: Final = Rule(
    cel=f"self.matches('{TIME_PATTERN}')",
    message="time must be HH:MM:SS in exchange time (Asia/Kolkata), for example 09:20:00",
    holds=lambda value: re.fullmatch(TIME_PATTERN.strip("^$"), value) is not None,
)

type_number: Final = BeforeValidator(_number)

PriceLevel = Annotated[
    Decimal, type_number, Checked({"type": "number"}, _above_zero("price"), _RUPEES_MAX, _decimals(4))
]
"""A price in rupees."""

PointsLevel = Annotated[
    Decimal, type_number, Checked({"type": "number"}, _above_zero("points"), _RUPEES_MAX, _decimals(4))
]
"""A distance in rupees."""

PercentLevel = Annotated[Decimal, type_number, Checked({"type": "number"}, _PERCENT, _decimals(2))]
"""A distance in percent, in steps of 0.01 (one basis point)."""

StepLevel = Annotated[Decimal, type_number, Checked({"type": "number"}, _above_zero("step"), _RUPEES_MAX, _decimals(2))]
"""A distance in the unit of the form beside it."""

Amount = Annotated[Decimal, type_number, Checked({"type": "number"}, _above_zero("amount"), _RUPEES_MAX, _decimals(4))]
"""An amount in rupees that a person sets."""

Money = Annotated[Decimal, type_number, Checked({"type": "number"})]
"""An amount in rupees that the platform reports; it may be negative."""

TimeOfDay = Annotated[str, Checked({"type": "string", "maxLength": 16}, _TIME)]
"""A time of the exchange's day."""

Name = Annotated[str, Field(min_length=1, max_length=63, pattern=NAME_PATTERN)]
"""Name of a Kubernetes object."""

Text = Annotated[str, Field(max_length=1024)]
"""A sentence for people."""

Word = Annotated[str, Field(max_length=64)]
"""A reason, a mode, a state: one word."""


class ObjectRef(SpecPart):
    """A reference to another object of the same namespace."""

    name: Name = Field(description="Name of the object, in the same namespace.")


class Halt(SpecPart):
    """A stop of all trading that holds until a person takes it away."""

    reason: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description="Why trading is halted, for the people who read it in the app and in the audit log."
    )


def exactly_one(*names: str, what: str, model_names: tuple[str, ...] | None = None) -> Rule:
    """A rule: exactly one of these optional fields is set."""
    fields = model_names or names
    cel = " + ".join(f"(has(self.{name}) ? 1 : 0)" for name in names) + " == 1"
    listed = ", ".join(names[:-1]) + f" or {names[-1]}"
    return Rule(
        cel=cel,
        message=f"{what} must have exactly one form: {listed}",
        holds=lambda value: sum(getattr(value, name) is not None for name in fields) == 1,
    )
