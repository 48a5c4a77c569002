"""What every parser of Fyers' answers does: JSON into a record, rupees, dates, tags. Pure.

Numbers are read as `Decimal` from the text on the wire, so that no amount is ever a float.
"""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, TypeVar

import msgspec
from algo_crds.contracts.clock import IST
from algo_crds.contracts.money import SCALE
from algo_crds.contracts.orders import Product, Side

from algo_brokers.errors import BadAnswer

_T = TypeVar("_T")

Number = Decimal | None
"""A JSON number, or one as text."""

_MAX_RUPEES: Final = Decimal(10) ** 12
"""No price and no account is larger; what is, was read wrongly."""
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

PRODUCTS: Final = {"INTRADAY": Product.INTRADAY, "CNC": Product.DELIVERY, "MARGIN": Product.DELIVERY}
"""MTF, CO and BO are not among them: they do not net with what we trade."""
SIDES: Final = {1: Side.BUY, -1: Side.SELL}


def decode(data: bytes, kind: type[_T], what: str) -> _T:
    """An answer in its documented form.

    Raises:
        BadAnswer: it has another.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"the broker's {what} cannot be read: {error}") from None


def price_of(value: Number) -> int:
    """Rupees as the nearest 1/10 000: averages come unrounded. Null is zero.

    Raises:
        BadAnswer: no finite amount of a sane size.
    """
    if value is None:
        return 0
    if not value.is_finite() or abs(value) >= _MAX_RUPEES:
        raise BadAnswer(f"{value} is not a price")
    return int((value * SCALE).to_integral_value(ROUND_HALF_EVEN))


def count_of(value: Number) -> int:
    """A quantity or a volume. Null is zero.

    Raises:
        BadAnswer: it is no whole number.
    """
    if value is None:
        return 0
    if not value.is_finite() or abs(value) >= _MAX_RUPEES or value != value.to_integral_value():
        raise BadAnswer(f"quantity {value} is not whole")
    return int(value)


def epoch_ms(value: Number) -> int:
    """Epoch seconds as an instant (ms); 0 where there is none."""
    return max(count_of(value), 0) * 1000


def instant_of(text: str | None) -> int:
    """`23-Nov-2026 09:20:15` in India as an instant (ms), whatever this machine's language; 0 for another form."""
    if not text or len(text) != 20 or text[3:6] not in _MONTHS:
        return 0
    try:
        stamp = f"{text[7:11]}-{_MONTHS.index(text[3:6]) + 1:02}-{text[:2]}T{text[12:]}"
        return int(datetime.fromisoformat(stamp).replace(tzinfo=IST).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


def tag_of(text: str | None) -> str | None:
    """The tag without Fyers' prefix: `1:` was set by the user; `2:` (as in `2:Untagged`) by Fyers, which is no tag."""
    if not text or text.startswith("2:"):
        return None
    return text.removeprefix("1:") or None
