"""What is known of each topic of one connection: the last value of every field, and what they mean in rupees.

Updates leave out what did not change, so that values are kept here. After a frame that could not be read everything is
forgotten until it comes again: a price that may have been missed is never told as today's.
"""

from collections.abc import Mapping
from typing import Final

from algo_crds.contracts.money import SCALE

from algo_brokers.fyers.stream import ABSENT, Data, Snapshot, Update
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


TOLD: Final = FIELDS[PRICE].index("exch_feed_time") + 1
"""How many of an update's first values make a tick, of whatever kind of topic."""
_ENOUGH: Final = {PRICE: TOLD, INDEX: FIELDS[INDEX].index("exch_feed_time") + 1}
"""How many of the first values make a tick."""


class _Known:
    """One topic."""

    __slots__ = ("divisor", "factor", "feed_time", "kind", "topic", "values", "width")

    def __init__(self, snapshot: Snapshot, kind: str, width: int) -> None:
        self.topic = snapshot.topic
        self.kind = kind
        self.width = width
        self.feed_time = _ENOUGH.get(kind, 1) - 1
        self.divisor: int = 10**snapshot.precision * snapshot.multiplier
        # Nearly every topic's step is a whole number of 1/10 000 rupee; 0 where it is not.
        self.factor = SCALE // self.divisor if SCALE % self.divisor == 0 else 0
        self.values: tuple[int, ...] = (ABSENT,) * width

    def learn(self, values: tuple[int, ...]) -> bool:
        """Take what came; whether anything was told. Values beyond the width are not kept."""
        told = values[: self.width]
        if len(told) == self.width and ABSENT not in told:
            self.values = told
            return True
        kept = self.values
        merged = [old if new == ABSENT else new for new, old in zip(told, kept, strict=False)]
        self.values = (*merged, *kept[len(told) :])
        return told.count(ABSENT) < len(told)

    def forget(self) -> None:
        """Nothing is known any more but the scale."""
        self.values = (ABSENT,) * self.width

    def price(self, raw: int) -> int:
        """A raw price in 1/10 000 rupee, the nearest."""
        return raw * self.factor or (raw * 2 * SCALE + self.divisor) // (2 * self.divisor)

    def tick(self, token: int, *, timed: bool) -> FeedTick | None:
        """The last price with the exchange's time (that of the last trade where there is none, 0 for neither or
        where it was not told with the price) and the day's volume; None where no price is known."""
        values = self.values
        raw, seconds, volume = values[0], values[self.feed_time], 0
        if raw <= 0:
            return None
        if self.kind == PRICE:
            volume = values[_VOLUME]
            if seconds <= 0:
                seconds = values[_TRADED]
        price = raw * self.factor or self.price(raw)
        return FeedTick(token, price, seconds * 1000 if timed and seconds > 0 else 0, volume if volume > 0 else 0)


class MarketState:
    """The topics of one connection."""

    def __init__(self, token_of: Mapping[str, int], *, whole: bool = False) -> None:
        """`token_of`: fyTokens by topic, of what was asked for; the owner adds to it. `whole`: keep every value of
        every topic, not only what makes a tick."""
        self._token_of = token_of
        self._whole = whole
        self._known: dict[int, _Known] = {}

    def apply(self, data: Data) -> list[FeedTick]:
        """Take a frame; the ticks that it makes, one for each item that told a price, time or volume of something asked
        for. An update of a topic whose snapshot has not come tells nothing."""
        ticks = []
        for item in data.items:
            timed = True
            if isinstance(item, Update):  # nearly all items
                known, values = self._known.get(item.number), item.values
            elif isinstance(item, Snapshot):
                known, values = self._met(item), item.values
            else:
                known, values, timed = self._known.get(item.number), (item.price,), False
            if known is None or not known.learn(values) or known.kind == DEPTH:
                continue
            token = self._token_of.get(known.topic)
            tick = known.tick(token, timed=timed) if token is not None else None
            if tick is not None:
                ticks.append(tick)
        return ticks

    def _met(self, snapshot: Snapshot) -> _Known | None:
        """The topic of a snapshot, whose number meant something else before; None for one of no interest."""
        kind = snapshot.topic.partition("|")[0]
        width = len(FIELDS.get(kind, ())) if self._whole else _ENOUGH.get(kind, 0)
        if not width:
            self._known.pop(snapshot.number, None)
            return None
        known = self._known[snapshot.number] = _Known(snapshot, kind, width)
        return known

    def doubt(self) -> None:
        """A frame was lost: nothing that is kept may be told again before it comes anew."""
        for known in self._known.values():
            known.forget()

    def values(self, topic: str) -> dict[str, int]:
        """What is kept of a topic, also of a depth one: prices in 1/10 000 rupee, times in epoch seconds."""
        for known in self._known.values():
            if known.topic == topic:
                told = zip(FIELDS[known.kind], known.values, strict=False)
                return {
                    name: known.price(value) if _is_price(name) else value for name, value in told if value != ABSENT
                }
        return {}
