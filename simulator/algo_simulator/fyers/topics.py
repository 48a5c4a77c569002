"""The fields of each kind of topic, in the order of the wire: `sf` quote, `dp` depth of five, `if` index."""

from datetime import time
from typing import Final, NamedTuple

from algo_crds.contracts.clock import instant
from algo_market.row_parsers import Trade
from algo_market.sessions import previous_session_day

from algo_simulator.depth import levels, offers
from algo_simulator.fyers.frames import bounded, raw
from algo_simulator.fyers.names import exchange_name, index_name, short_symbol, topics_of
from algo_simulator.market import Market

_CLOSE: Final = time(15, 29, 59)


class Topic(NamedTuple):
    """One topic of one market."""

    name: str
    market: Market

    @property
    def kind(self) -> str:
        """`sf`, `dp` or `if`."""
        return self.name[:2]

    @property
    def names(self) -> tuple[str, str, str]:
        """Exchange, exchange token and symbol, as a snapshot ends."""
        instrument = self.market.instrument
        name = index_name(instrument) if instrument.kind == "INDEX" else short_symbol(instrument)
        return exchange_name(instrument), str(instrument.token), name


def find_topic(markets: dict[str, Market], name: str) -> Topic | None:
    """The topic of a name; None for one that this world does not trade."""
    for market in markets.values():
        if name in topics_of(market.instrument):
            return Topic(name, market)
    return None


def values(kind: str, market: Market, row: Trade) -> list[int]:
    """All fields of a topic for a recorded row: price, time and volume are the row's own, dirt included."""
    if kind == "dp":
        return _depth(market, row)
    if kind == "if":
        return _index(market, row)
    return _quote(market, row)


def newest_row(market: Market) -> Trade:
    """What a snapshot shows: the newest trade, or the close of the day before with its time."""
    stats = market.stats
    if stats.last:
        return Trade(stats.last_time, stats.last, stats.volume)
    before = previous_session_day(market.session.day)
    return Trade(instant(before, _CLOSE) if before is not None else 0, market.previous_close, 0)


def _seconds(at: int) -> int:
    return bounded(max(at // 1000, 0))


def _quote(market: Market, row: Trade) -> list[int]:
    stats, seconds = market.stats, _seconds(row.time)
    bids, asks = levels(market, row.price)
    buy, sell = offers(row.volume)
    return [
        raw(row.price),
        bounded(row.volume),
        seconds,
        seconds,
        bids[0][0],
        asks[0][0],
        raw(bids[0][1]),
        raw(asks[0][1]),
        bounded(stats.last_quantity),
        bounded(buy),
        bounded(sell),
        raw(stats.average or row.price),
        0,
        raw(stats.low or row.price),
        raw(stats.high or row.price),
        0,
        0,
        raw(market.book.band_low),
        raw(market.book.band_high),
        raw(stats.open or row.price),
        raw(market.previous_close),
    ]


def _depth(market: Market, row: Trade) -> list[int]:
    bids, asks = levels(market, row.price)
    prices = [raw(level[1]) for level in (*bids, *asks)]
    sizes = [bounded(level[0]) for level in (*bids, *asks)]
    orders = [level[2] for level in (*bids, *asks)]
    return prices + sizes + orders


def _index(market: Market, row: Trade) -> list[int]:
    stats = market.stats
    figures = (stats.high or row.price, stats.low or row.price, stats.open or row.price)
    return [raw(row.price), raw(market.previous_close), _seconds(row.time), *(raw(figure) for figure in figures)]
