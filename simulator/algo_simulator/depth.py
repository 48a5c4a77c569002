"""A made-up order book around the last price: the record has trades only, and quotes of every broker show depth."""

from typing import Final

from algo_simulator.market import Market

LEVELS: Final = 5
Level = tuple[int, int, int]
"""(quantity, `Price`, orders)."""


def offers(volume: int) -> tuple[int, int]:
    """Total buy and sell quantity of the book."""
    return 100_000 + volume % 1000, 100_000 + volume % 997


def levels(market: Market, last: int, count: int = LEVELS) -> tuple[list[Level], list[Level]]:
    """Bids and asks around the last price, best first."""
    tick = market.instrument.tick_size
    steps = range(count)
    bids = [(100 * (step + 1), max(last - (step + 1) * tick, 0), step + 1) for step in steps]
    asks = [(100 * (step + 1), last + (step + 1) * tick, step + 1) for step in steps]
    return bids, asks
