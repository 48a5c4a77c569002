"""Prices and amounts without floats.

A `Price` is an integer of 1/10 000 rupee: it holds every NSE tick size (0.01 to 5.00) and the average price of a fill
exactly enough, and compares in one machine instruction on the hot path. Decimal is for the edges (API, resources, SQL).
"""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import NewType

Price = NewType("Price", int)
"""A price or an amount in 1/10 000 rupee."""

SCALE = 10_000
"""Units of `Price` in one rupee."""
_NO_AMOUNT = 10**12 * SCALE
"""What a broker tells beyond this was read wrongly."""


class NotAPriceError(ValueError):
    """The text or number is no finite amount of rupees with at most four decimals."""


def parse_price(value: str | int | Decimal) -> Price:
    """Exact conversion of rupees to `Price`.

    Raises:
        NotAPriceError: not a finite number, or more than four decimals.
    """
    try:
        amount = Decimal(value) * SCALE
    except (InvalidOperation, TypeError, ValueError) as error:
        raise NotAPriceError(f"{value!r} is not an amount in rupees") from error
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise NotAPriceError(f"{value!r} must be a finite amount in rupees with at most four decimals")
    return Price(int(amount))


def price_from_float(value: float) -> Price:
    """Nearest `Price` to a broker's JSON float (brokers send unrounded floats).

    Raises:
        NotAPriceError: the number is infinite, not a number, or no amount that there is (10^12 rupees and more).
    """
    try:
        price = int((Decimal(repr(value)) * SCALE).to_integral_value(ROUND_HALF_EVEN))
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise NotAPriceError(f"{value!r} is not a price") from error
    if abs(price) >= _NO_AMOUNT:
        raise NotAPriceError(f"{value!r} is not a price")
    return Price(price)


def to_decimal(price: int) -> Decimal:
    """Rupees, without trailing zeros beyond two decimals."""
    amount = Decimal(price).scaleb(-4)
    return amount.quantize(Decimal("0.01")) if price % 100 == 0 else amount


def format_price(price: int) -> str:
    """Rupees as a decimal string: at least two decimals, four where needed."""
    whole, part = divmod(abs(price), SCALE)
    sign = "-" if price < 0 else ""
    return f"{sign}{whole}.{part:04}" if part % 100 else f"{sign}{whole}.{part // 100:02}"


def floor_to_tick(price: int, tick: int) -> Price:
    """Largest multiple of `tick` that is not above `price`."""
    return Price(price // tick * tick)


def ceil_to_tick(price: int, tick: int) -> Price:
    """Smallest multiple of `tick` that is not below `price`."""
    return Price(-(-price // tick) * tick)
