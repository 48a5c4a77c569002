"""Candles of a world's own day, made from the cleaned record up to the world's clock."""

from typing import Final, NamedTuple

from algo_market.sessions import day_start

from algo_simulator.market import Market

SECOND: Final = 1_000
MINUTE: Final = 60_000
DAY: Final = 86_400_000


class Candle(NamedTuple):
    """Prices are `Price` units; `volume` is what traded within it."""

    start: int
    """Instant (ms) of its opening; midnight for candles of a day or more."""
    open: int
    high: int
    low: int
    close: int
    volume: int
    open_interest: int = 0


def candles(market: Market, length: int, *, since: int, until: int) -> list[Candle]:
    """Candles that open from `since` on, from trades up to `until` (instants, both included); the last may be partial.

    Shorter ones than a day begin with the session (09:15, 10:15 ...), as brokers show them. A stretch without a trade
    has no candle.

    Args:
        length: milliseconds; `DAY` or more gives one candle, that of the world's day.
    """
    opens = market.session.open if length < DAY else day_start(market.session.day)
    found: list[Candle] = []
    before = 0
    for trade in market.trades:
        if trade.time > until:
            break
        start = opens + (trade.time - opens) // length * length if length < DAY else opens
        shares = max(trade.volume - before, 0)
        before = max(before, trade.volume)
        price = trade.price
        if not found or found[-1].start != start:
            found.append(Candle(start, price, price, price, price, shares))
            continue
        now = found[-1]
        found[-1] = now._replace(
            high=max(now.high, price), low=min(now.low, price), close=price, volume=now.volume + shares
        )
    return [candle for candle in found if candle.start >= since]
