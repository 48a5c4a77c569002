"""Numbers as Angel One writes them: as JSON numbers or as text, by endpoint, with a blank after a minus in some.

The same field is a number in one answer and a text in the next (`"quantity": "5"`, `"price": 2870.5`), so every number
is read here, and nowhere a float stays.
"""

from datetime import date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final

from algo_crds.contracts.clock import IST
from algo_crds.contracts.money import SCALE

from algo_brokers.errors import BadAnswer

Number = int | float | str | None
"""A number of an answer."""

_MAX_RUPEES: Final = Decimal(10) ** 12
"""No price and no account is larger; what is, was read wrongly."""
_MONTHS: Final = {
    name: index + 1
    for index, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
    )
}


def decimal_of(value: Number) -> Decimal:
    """The number; null and empty text are zero.

    Raises:
        BadAnswer: it is no finite number of a sane size.
    """
    text = "".join(value.split()) if isinstance(value, str) else repr(value)
    if value is None or not text:
        return Decimal(0)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadAnswer(f"{value!r} is no number") from None
    if not number.is_finite() or abs(number) >= _MAX_RUPEES:
        raise BadAnswer(f"{value!r} is no amount")
    return number


def price_of(value: Number) -> int:
    """Rupees as the nearest 1/10 000: averages come unrounded. Raises `BadAnswer`."""
    return int((decimal_of(value) * SCALE).to_integral_value(ROUND_HALF_EVEN))


def count_of(value: Number) -> int:
    """A quantity.

    Raises:
        BadAnswer: it is no whole number.
    """
    number = decimal_of(value)
    if number != number.to_integral_value():
        raise BadAnswer(f"quantity {value!r} is not whole")
    return int(number)


def date_of(text: str) -> date | None:
    """`02MAR2026` or `02-Mar-2026` (English month, whatever this machine's language); None for another form."""
    plain = text.replace("-", "").upper()
    month = _MONTHS.get(plain[2:5])
    if len(plain) != 9 or month is None or not (plain[:2] + plain[5:]).isdecimal():
        return None
    try:
        return date(int(plain[5:]), month, int(plain[:2]))
    except ValueError:
        return None


def instant_of(text: str | None) -> int:
    """`02-Mar-2026 10:15:07`, exchange time, as an instant (ms); 0 where there is none or it has another form."""
    day, _, clock = (text or "").partition(" ")
    found = date_of(day)
    return 0 if found is None else instant_at(found, clock)


def instant_at(day: date, clock: str) -> int:
    """`10:15:09` of a day, exchange time, as an instant (ms); 0 for another form."""
    if len(clock) != 8:
        return 0
    try:
        return int(datetime.combine(day, time.fromisoformat(clock), IST).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
