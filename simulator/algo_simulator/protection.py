"""Market-price protection: brokers turn a market order of an API user into a limit order some way beyond the price.

The percentages are those that Zerodha publishes, wider for options; other brokers publish none and get the same.
"""

from typing import Final

from algo_crds.contracts.money import ceil_to_tick, floor_to_tick
from algo_crds.contracts.orders import Side

from algo_simulator.market import Market

_SHARES: Final = ((100, 2.0), (500, 1.0))
_OPTIONS: Final = ((10, 5.0), (100, 3.0), (500, 2.0))
"""Percent below so many rupees."""


def usual_percent(price: int, *, option: bool = False) -> float:
    """The reach for a price in percent."""
    for below, percent in _OPTIONS if option else _SHARES:
        if price < below * 10_000:
            return percent
    return 1.0 if option else 0.5


def protected_limit(market: Market, side: Side, base: int = 0, percent: float = 0) -> int:
    """The limit price of a market order, on a tick and within the day's band.

    Args:
        base: the price to start from (a stop's trigger); 0: the last price.
        percent: 0: the usual one.
    """
    base = base or market.stats.last or market.previous_close
    reach = int(base * (percent or usual_percent(base, option=market.instrument.option)) / 100)
    tick, book = market.instrument.tick_size, market.book
    if side is Side.BUY:
        return min(int(floor_to_tick(base + reach, tick)), book.band_high or base + reach)
    return max(int(ceil_to_tick(base - reach, tick)), book.band_low)
