"""What any broker's quote shows of a symbol: the day's figures, and a made-up book (`depth.py`)."""

from typing import NamedTuple

from algo_simulator.depth import Level, levels, offers
from algo_simulator.market import Market


class Quote(NamedTuple):
    """Prices are `Price` units. Before the first trade the last price is the previous close and the rest is 0."""

    last: int
    last_time: int
    """Instant (ms) of the last trade; 0 before the first."""
    last_quantity: int
    open: int
    high: int
    low: int
    close: int
    """Previous close."""
    volume: int
    average: int
    change: int
    """Last price less previous close."""
    buy_quantity: int
    sell_quantity: int
    bids: list[Level]
    asks: list[Level]
    lower_circuit: int
    upper_circuit: int
    open_interest: int = 0


def quote_of(market: Market) -> Quote:
    """The symbol as it stands."""
    stats, close = market.stats, market.previous_close
    last = stats.last or close
    buy, sell = offers(stats.volume)
    bids, asks = levels(market, last)
    return Quote(
        last=last,
        last_time=stats.last_time,
        last_quantity=stats.last_quantity,
        open=stats.open,
        high=stats.high,
        low=stats.low,
        close=close,
        volume=stats.volume,
        average=stats.average,
        change=last - close,
        buy_quantity=buy,
        sell_quantity=sell,
        bids=bids,
        asks=asks,
        lower_circuit=market.book.band_low,
        upper_circuit=market.book.band_high,
    )
