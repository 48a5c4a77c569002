"""The orders of one paper account and the market they meet: no I/O, no clock; rows come out through one callback.

Each instrument has a match book of the simulated exchange. Ticks pass the same checks as a runner's (a Saturday row or
a repeat trades nothing here either). The account's state can be taken out and put back, so that a restarted gateway
finds its orders and positions as a broker would have kept them.
"""

from collections.abc import Callable
from datetime import date
from typing import Final

import msgspec
from algo_crds.contracts.clock import session_date
from algo_crds.contracts.orders import FINAL, OrderRow, PositionRow, Product, RejectKind, Side
from algo_crds.contracts.wire import SessionTimes
from algo_market import matching
from algo_market.instruments import DayInstrument, UnknownInstrumentError, instrument_on, price_band, wire_instrument
from algo_market.matching import Fill, MatchBook, SimOrder
from algo_market.order_rules import Refused
from algo_market.sessions import SessionUnknownError, class_of, session_for, session_times
from algo_market.tick_checks import TickCell, accept, set_day

from algo_brokers.outcomes import Accepted, Rejected, WriteOutcome
from algo_brokers.paper.capability import CAPABILITY
from algo_brokers.records import Change, NewOrder, Quote, TradeRow

Key = tuple[str, str]
_MAX_CHANGES: Final = CAPABILITY.max_modifications


class _Kept(msgspec.Struct, kw_only=True):
    """An order with what the matching engine does not need to know of it."""

    order: SimOrder
    new: NewOrder
    placed_at: int
    changes: int = 0
    number: int


class _Snapshot(msgspec.Struct, kw_only=True):
    day: date
    number: int
    orders: list[_Kept]
    fills: list[Fill]
    last_prices: dict[str, int]


class PaperExchange:
    """One account on one day; a new day begins with an empty book.

    Args:
        on_row: every change of an order, in order.
        previous_close: of an instrument, 0 if unknown (then no band is checked).
    """

    def __init__(self, *, on_row: Callable[[OrderRow], None], previous_close: Callable[[str, str], int]) -> None:
        self._on_row = on_row
        self._previous_close = previous_close
        self._day: date | None = None
        self._number = 0
        self._orders: dict[str, _Kept] = {}
        self._fills: list[Fill] = []
        self._books: dict[Key, MatchBook | None] = {}
        self._cells: dict[Key, TickCell] = {}

    # The market

    def clock(self, now: int) -> None:
        """Time passed: the session's ends cancel what may not live on."""
        self._enter(now)
        for book in self._books.values():
            if book is None or not book.live:
                continue
            if now >= book.last_match:
                self._tell(matching.end_session(book), now)
            elif now >= book.end_of_stops:
                self._tell(matching.end_stops(book), now)

    def tick(self, exchange: str, symbol: str, *, price: int, time: int, volume: int, now: int) -> None:
        """A tick as the feed sends it; only a good one trades."""
        self._enter(now)
        key = (exchange, symbol)
        book = self._book(key)
        if book is not None and accept(self._cells[key], price, time, volume, ""):
            self._tell(matching.trade(book, price, max(time, now)), now)

    # Orders

    def place(self, new: NewOrder, now: int) -> WriteOutcome:
        """Take an order; whether the exchange accepts it, its row says."""
        self._enter(now)
        book = self._book((new.instrument.exchange, new.instrument.symbol))
        if book is None:
            text = f"{new.instrument.exchange}:{new.instrument.symbol} does not trade today"
            return Rejected(kind=RejectKind.CLOSED, message=text)
        self._number += 1
        order = SimOrder(
            order_id=f"{session_date(now):%y%m%d}{self._number:09d}",
            side=new.side,
            type=new.type,
            quantity=new.quantity,
            price=new.price,
            trigger=new.trigger,
        )
        self._orders[order.order_id] = _Kept(order=order, new=new, placed_at=now, number=self._number)
        self._tell(matching.place(book, order, now), now)
        return Accepted(broker_order_id=order.order_id)

    def modify(self, change: Change, now: int) -> WriteOutcome:
        """Change a live order to absolute values; `quantity` is the total."""
        self._enter(now)
        kept = self._orders.get(change.order.broker_order_id)
        book = None if kept is None else self._book((kept.new.instrument.exchange, kept.new.instrument.symbol))
        if kept is None or book is None:
            return Rejected(kind=RejectKind.NOT_MODIFIABLE, message="the order does not exist")
        if kept.changes >= _MAX_CHANGES:
            return Rejected(kind=RejectKind.TOO_MANY_CHANGES, message=f"{_MAX_CHANGES} changes were made")
        outcome = matching.modify(
            book,
            kept.order,
            now=now,
            type=change.type,
            quantity=change.quantity,
            price=change.price,
            trigger=change.trigger,
        )
        if isinstance(outcome, Refused):
            return Rejected(kind=outcome.kind, message=outcome.message)
        kept.changes += 1
        self._tell(outcome, now)
        return Accepted(broker_order_id=change.order.broker_order_id)

    def cancel(self, broker_order_id: str, now: int) -> WriteOutcome:
        """Take a live order out of the market."""
        self._enter(now)
        kept = self._orders.get(broker_order_id)
        book = None if kept is None else self._book((kept.new.instrument.exchange, kept.new.instrument.symbol))
        if kept is None or book is None:
            return Rejected(kind=RejectKind.NOT_MODIFIABLE, message="the order does not exist")
        outcome = matching.cancel(book, kept.order)
        if isinstance(outcome, Refused):
            return Rejected(kind=outcome.kind, message=outcome.message)
        self._tell(outcome, now)
        return Accepted(broker_order_id=broker_order_id)

    # Reads

    def rows(self, read_at: int) -> tuple[OrderRow, ...]:
        """The book of the day."""
        return tuple(_row(kept, read_at) for kept in self._orders.values())

    def positions(self) -> tuple[PositionRow, ...]:
        """Net quantity by symbol and product, closed ones with 0."""
        totals: dict[tuple[str, str, Product], int] = {}
        for kept in self._orders.values():
            if kept.order.filled:
                key = (kept.new.instrument.exchange, kept.new.instrument.symbol, kept.new.product)
                signed = kept.order.filled if kept.order.side is Side.BUY else -kept.order.filled
                totals[key] = totals.get(key, 0) + signed
        return tuple(
            PositionRow(exchange=exchange, symbol=symbol, product=product, quantity=total)
            for (exchange, symbol, product), total in totals.items()
        )

    def trades(self) -> tuple[TradeRow, ...]:
        """The fills of the day."""
        return tuple(
            _trade(number, fill, self._orders[fill.order_id].new) for number, fill in enumerate(self._fills, 1)
        )

    def last_price(self, exchange: str, symbol: str) -> int:
        """The last good price of the day, 0 if there is none."""
        book = self._books.get((exchange, symbol))
        return 0 if book is None else book.last_price

    def quote(self, exchange: str, symbol: str, now: int) -> Quote | None:
        """The last good price with today's band; None while there is none."""
        book = self._books.get((exchange, symbol))
        if book is None or not book.last_price:
            return None
        return Quote(
            exchange=exchange,
            symbol=symbol,
            price=book.last_price,
            time=min(self._cells[exchange, symbol].newest, now),
            volume=0,
            band_low=book.band_low,
            band_high=book.band_high,
            previous_close=self._previous_close(exchange, symbol),
        )

    # State

    def snapshot(self) -> bytes:
        """All that a restart must find again."""
        if self._day is None:
            return b""
        prices = {":".join(key): book.last_price for key, book in self._books.items() if book is not None}
        return msgspec.json.encode(
            _Snapshot(
                day=self._day,
                number=self._number,
                orders=list(self._orders.values()),
                fills=self._fills,
                last_prices=prices,
            )
        )

    def restore(self, data: bytes, now: int) -> None:
        """Put a snapshot of the same day back; one of another day is another book and is left out."""
        if not data:
            return
        kept = msgspec.json.decode(data, type=_Snapshot)
        if kept.day != session_date(now):
            return
        self._enter(now)
        self._number, self._fills = kept.number, kept.fills
        for one in sorted(kept.orders, key=lambda entry: entry.number):
            self._orders[one.order.order_id] = one
            book = self._book((one.new.instrument.exchange, one.new.instrument.symbol))
            if book is not None and one.order.status not in FINAL:
                book.live[one.order.order_id] = one.order
        for name, price in kept.last_prices.items():
            exchange, _, symbol = name.partition(":")
            book = self._book((exchange, symbol))
            if book is not None:
                book.last_price = price

    # Inside

    def _enter(self, now: int) -> None:
        day = session_date(now)
        if day != self._day:
            self._day, self._number = day, 0
            self._orders.clear()
            self._fills.clear()
            self._books.clear()
            self._cells.clear()

    def _book(self, key: Key) -> MatchBook | None:
        if key not in self._books:
            assert self._day is not None
            self._books[key] = _open_book(key, self._day, self._previous_close(*key), self._cells)
        return self._books[key]

    def _tell(self, outcome: matching.Outcome, now: int) -> None:
        self._fills += outcome.fills
        for order_id in outcome.changed:
            self._on_row(_row(self._orders[order_id], now))


def _open_book(key: Key, day: date, previous_close: int, cells: dict[Key, TickCell]) -> MatchBook | None:
    try:
        instrument = instrument_on(*key, day)
        session = session_for(instrument.exchange, class_of(instrument), day)
        times = session_times(instrument, "paper", day)
    except (UnknownInstrumentError, SessionUnknownError):
        return None
    if session is None:
        return None
    cells[key] = _cell(instrument, times, previous_close)
    low, high = price_band(previous_close, instrument.tick_size)
    return MatchBook(
        instrument=instrument,
        band_low=low,
        band_high=high,
        open=session.open,
        last_new_order=session.last_new_order,
        end_of_stops=session.end_of_stops,
        last_match=session.last_match,
    )


def _cell(instrument: DayInstrument, times: SessionTimes, previous_close: int) -> TickCell:
    cell = TickCell("")
    set_day(cell, times, wire_instrument(instrument, previous_close))
    return cell


def _trade(number: int, fill: Fill, new: NewOrder) -> TradeRow:
    return TradeRow(
        trade_id=str(number),
        broker_order_id=fill.order_id,
        exchange=new.instrument.exchange,
        symbol=new.instrument.symbol,
        product=new.product,
        side=fill.side,
        quantity=fill.quantity,
        price=fill.price,
        time=fill.time,
    )


def _row(kept: _Kept, read_at: int) -> OrderRow:
    order, new = kept.order, kept.new
    rejected = order.reject_kind is not None
    return OrderRow(
        broker_order_id=order.order_id,
        tag=new.tag,
        exchange_order_id=None if rejected else f"P{order.order_id}",
        exchange=new.instrument.exchange,
        symbol=new.instrument.symbol,
        product=new.product,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        price=order.price,
        trigger=order.trigger,
        filled=order.filled,
        average_price=order.average_price,
        status=order.status,
        reject_kind=order.reject_kind,
        message=order.message,
        order_time=kept.placed_at,
        read_at=read_at,
    )
