"""What is known of each topic of one connection: the last value of every field, and what they mean in rupees.

Updates leave out what did not change, so that values are kept here. After a frame that could not be read everything is
forgotten until it comes again: a price that may have been missed is never told as today's.
"""

from collections.abc import Mapping
from typing import Final

from algo_brokers.fyers.stream import ABSENT, Data, Lite, Snapshot, Update
from algo_brokers.fyers.topics import DEPTH, INDEX, PRICE
from algo_brokers.records import FeedTick

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    PRICE: (
        "ltp",
        "vol_traded_today",
        "last_traded_time",
        "exch_feed_time",
        "bid_size",
        "ask_size",
        "bid_price",
        "ask_price",
        "last_traded_qty",
        "tot_buy_qty",
        "tot_sell_qty",
        "avg_trade_price",
        "OI",
        "low_price",
        "high_price",
        "Yhigh",
        "Ylow",
        "lower_ckt",
        "upper_ckt",
        "open_price",
        "prev_close_price",
    ),
    INDEX: ("ltp", "prev_close_price", "exch_feed_time", "high_price", "low_price", "open_price"),
    DEPTH: tuple(
        f"{name}{level}"
        for name in ("bid_price", "ask_price", "bid_size", "ask_size", "bid_order", "ask_order")
        for level in range(1, 6)
    ),
}
"""Values of a topic in their order on the wire, by kind of topic."""

_VOLUME: Final = FIELDS[PRICE].index("vol_traded_today")
_TRADED: Final = FIELDS[PRICE].index("last_traded_time")
_UNSCALED: Final = frozenset(
    {
        "vol_traded_today",
        "last_traded_time",
        "exch_feed_time",
        "bid_size",
        "ask_size",
        "last_traded_qty",
        "tot_buy_qty",
        "tot_sell_qty",
        "OI",
    }
)


def _is_price(name: str) -> bool:
    return name not in _UNSCALED and not name.startswith(("bid_size", "ask_size", "bid_order", "ask_order"))


class _Known:
    """One topic."""

    __slots__ = ("divisor", "feed_time", "kind", "topic", "values")

    def __init__(self, snapshot: Snapshot, kind: str) -> None:
        self.topic = snapshot.topic
        self.kind = kind
        self.feed_time = FIELDS[kind].index("exch_feed_time") if kind != DEPTH else 0
        self.divisor: int = 10**snapshot.precision * snapshot.multiplier
        self.values = [ABSENT] * len(FIELDS[kind])

    def learn(self, values: tuple[int, ...]) -> bool:
        """Take what came; whether anything was told. Values beyond the documented ones are not read."""
        kept = self.values
        self.values = [old if new == ABSENT else new for new, old in zip(values, kept, strict=False)]
        self.values += kept[len(values) :]
        return values.count(ABSENT) < len(values)

    def forget(self) -> None:
        """Nothing is known any more but the scale."""
        self.values = [ABSENT] * len(self.values)

    def price(self, raw: int) -> int:
        """A raw price in 1/10 000 rupee, the nearest."""
        return (raw * 20_000 + self.divisor) // (2 * self.divisor)

    def seconds(self) -> int:
        """The exchange's time, that of the last trade where there is none, 0 for neither."""
        time = self.values[self.feed_time]
        if time <= 0 and self.kind == PRICE:
            time = self.values[_TRADED]
        return max(time, 0)

    def volume(self) -> int:
        """The day's volume; an index has none."""
        return max(self.values[_VOLUME], 0) if self.kind == PRICE else 0


class MarketState:
    """The topics of one connection."""

    def __init__(self, token_of: Mapping[str, int]) -> None:
        """`token_of`: fyTokens by topic, of what was asked for; the owner adds to it."""
        self._token_of = token_of
        self._known: dict[int, _Known] = {}

    def apply(self, data: Data) -> list[FeedTick]:
        """Take a frame; the ticks that it makes, one for each item that told a price or a time of something asked for.

        An update of a topic whose snapshot has not come tells nothing.
        """
        ticks = []
        for item in data.items:
            tick = self._take(item)
            if tick is not None:
                ticks.append(tick)
        return ticks

    def doubt(self) -> None:
        """A frame was lost: nothing that is kept may be told again before it comes anew."""
        for known in self._known.values():
            known.forget()

    def values(self, topic: str) -> dict[str, int]:
        """What is known of a topic, also of a depth one: prices in 1/10 000 rupee, times in epoch seconds."""
        for known in self._known.values():
            if known.topic == topic:
                told = zip(FIELDS[known.kind], known.values, strict=True)
                return {
                    name: known.price(value) if _is_price(name) else value for name, value in told if value != ABSENT
                }
        return {}

    def _take(self, item: Snapshot | Update | Lite) -> FeedTick | None:
        if isinstance(item, Snapshot):
            kind = item.topic.partition("|")[0]
            if kind not in FIELDS:
                self._known.pop(item.number, None)
                return None
            self._known[item.number] = _Known(item, kind)
        known = self._known.get(item.number)
        if known is None:
            return None
        if isinstance(item, Lite):
            known.learn((item.price,))
            return self._tick(known, timed=False)
        return self._tick(known, timed=True) if known.learn(item.values) else None

    def _tick(self, known: _Known, *, timed: bool) -> FeedTick | None:
        token, raw = self._token_of.get(known.topic), known.values[0]
        if token is None or raw <= 0 or known.kind == DEPTH:
            return None
        return FeedTick(token, known.price(raw), known.seconds() * 1000 if timed else 0, known.volume())
