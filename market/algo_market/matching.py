"""The matching engine of the simulated exchange: pure, no clock and no I/O.

One `MatchBook` holds the live orders of one instrument on one day. Orders, trades of the recorded market and the
session's ends go in; changed orders and fills come out. The simulator uses it behind its brokers' protocols, the
gateway behind its paper account, so both fill alike. Our orders never meet each other: each trades against the record.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from algo_crds.contracts.orders import FINAL, OrderStatus, OrderType, RejectKind, Side

from algo_market.instruments import DayInstrument
from algo_market.order_rules import Refused, check_order

UNLIMITED: Final = 1 << 60


class SimOrder(msgspec.Struct, kw_only=True):
    """An order at the exchange; the book changes it in place. Prices are `Price` units."""

    order_id: str
    side: Side
    type: OrderType
    quantity: int
    price: int
    trigger: int = 0
    filled: int = 0
    value: int = 0
    """Sum of price * quantity of the fills."""
    status: OrderStatus = OrderStatus.PENDING
    reject_kind: RejectKind | None = None
    message: str = ""
    accepted_at: int = 0

    @property
    def remaining(self) -> int:
        """What is still to trade."""
        return self.quantity - self.filled

    @property
    def average_price(self) -> int:
        """Average fill price, rounded to the nearest unit; 0 without a fill."""
        return (self.value + self.filled // 2) // self.filled if self.filled else 0


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """A trade of one of our orders."""

    order_id: str
    side: Side
    quantity: int
    price: int
    time: int


class Outcome(msgspec.Struct, kw_only=True):
    """What an event changed: ids in the order of their change (repeated when changed again), and the fills."""

    changed: list[str] = []
    fills: list[Fill] = []


class MatchBook(msgspec.Struct, kw_only=True):
    """The exchange's side of one instrument on one day."""

    instrument: DayInstrument
    band_low: int
    band_high: int
    open: int
    last_new_order: int
    end_of_stops: int
    last_match: int
    liquidity: int = 0
    """Shares that each recorded trade offers to our orders together; 0: unlimited."""
    last_price: int = 0
    left: int = UNLIMITED
    """What the last trade still offers."""
    live: dict[str, SimOrder] = {}
    """Orders that may still trade, in time priority."""


def place(book: MatchBook, order: SimOrder, now: int) -> Outcome:
    """Accept an order and fill what trades at once, or reject it (the row says why)."""
    outcome = Outcome()
    outcome.changed.append(order.order_id)
    refused = _closed(book, now) or check_order(book, order)
    if refused is not None:
        order.status, order.reject_kind, order.message = OrderStatus.REJECTED, refused.kind, refused.message
        return outcome
    order.accepted_at = now
    order.status = OrderStatus.TRIGGER_PENDING if order.type is OrderType.STOP_LIMIT else OrderStatus.OPEN
    book.live[order.order_id] = order
    _take(book, order, now, outcome)
    return outcome


def modify(
    book: MatchBook,
    order: SimOrder,
    *,
    now: int,
    type: OrderType | None = None,  # noqa: A002 - the order's own word
    quantity: int | None = None,
    price: int | None = None,
    trigger: int | None = None,
) -> Outcome | Refused:
    """Change a live order to absolute values; `quantity` is the total, filled part included.

    A stop that has triggered may become a limit order or keep its limit; a limit order may become a stop again only
    through a new order. The order keeps its id and loses its time priority. A refusal leaves it as it was.
    """
    if order.order_id not in book.live:
        return Refused(RejectKind.NOT_MODIFIABLE, f"the order is {order.status} and cannot be modified")
    if now >= book.last_match:
        return Refused(RejectKind.CLOSED, "the market is closed")
    wanted = msgspec.structs.replace(
        order,
        type=type or order.type,
        quantity=order.quantity if quantity is None else quantity,
        price=order.price if price is None else price,
        trigger=order.trigger if trigger is None else trigger,
    )
    if wanted.type is OrderType.LIMIT:
        wanted.trigger, wanted.status = 0, OrderStatus.OPEN
    elif order.status is not OrderStatus.TRIGGER_PENDING and (wanted.type, wanted.trigger) != (
        order.type,
        order.trigger,
    ):
        return Refused(RejectKind.NOT_MODIFIABLE, "a working limit order cannot become a stop")
    if wanted.quantity <= order.filled:
        return Refused(RejectKind.QUANTITY, f"{order.filled} are already filled; the quantity must be larger")
    refused = check_order(book, wanted)
    if refused is not None:
        return refused
    order.type, order.quantity, order.price = wanted.type, wanted.quantity, wanted.price
    order.trigger, order.status = wanted.trigger, wanted.status
    del book.live[order.order_id]
    book.live[order.order_id] = order
    outcome = Outcome()
    outcome.changed.append(order.order_id)
    _take(book, order, now, outcome)
    return outcome


def cancel(book: MatchBook, order: SimOrder, message: str = "") -> Outcome | Refused:
    """Take a live order out of the market; what it filled stays. Also the exchange's own cancel, with its message."""
    if order.order_id not in book.live:
        return Refused(RejectKind.NOT_MODIFIABLE, f"the order is {order.status} and cannot be cancelled")
    del book.live[order.order_id]
    order.status, order.message = OrderStatus.CANCELLED, message
    outcome = Outcome()
    outcome.changed.append(order.order_id)
    return outcome


def trade(book: MatchBook, price: int, time: int, quantity: int = 0) -> Outcome:
    """A trade of the recorded market: triggers stops and fills what it reaches, by price then time.

    Args:
        quantity: shares the trade offers when larger than zero; otherwise the book's `liquidity`.
    """
    outcome = Outcome()
    previous, book.last_price = book.last_price, price
    book.left = quantity or book.liquidity or UNLIMITED
    if not book.live:
        return outcome
    for order in _priority(book):
        if order.status is OrderStatus.TRIGGER_PENDING:
            _take(book, order, time, outcome)
        elif _reaches(order, price):
            # The market jumped over a resting limit: the order gets the better price.
            jumped = previous > 0 and not _reaches(order, previous)
            _fill(book, order, price if jumped else order.price, time, outcome)
    return outcome


def end_stops(book: MatchBook) -> Outcome:
    """The instant after which no stop works: every stop that has not triggered is cancelled by the exchange."""
    return _end(book, [o for o in book.live.values() if o.status is OrderStatus.TRIGGER_PENDING])


def end_session(book: MatchBook) -> Outcome:
    """After the last match every DAY order that is left is cancelled."""
    return _end(book, list(book.live.values()))


def _end(book: MatchBook, orders: list[SimOrder]) -> Outcome:
    outcome = Outcome()
    for order in orders:
        del book.live[order.order_id]
        order.status, order.message = OrderStatus.CANCELLED, "cancelled by the exchange at the end of the session"
        outcome.changed.append(order.order_id)
    return outcome


def _closed(book: MatchBook, now: int) -> Refused | None:
    if not book.open <= now < book.last_new_order:
        return Refused(RejectKind.CLOSED, "the market does not take new orders now")
    return None


def _priority(book: MatchBook) -> Iterator[SimOrder]:
    """Best price first within a side, then the earlier; stops come after resting limits."""

    def rank(order: SimOrder) -> tuple[bool, int]:
        return (
            order.status is OrderStatus.TRIGGER_PENDING,
            -order.price if order.side is Side.BUY else order.price,
        )

    return iter(sorted(book.live.values(), key=rank))


def _reaches(order: SimOrder, price: int) -> bool:
    return price <= order.price if order.side is Side.BUY else price >= order.price


def _triggers(order: SimOrder, price: int) -> bool:
    return price >= order.trigger if order.side is Side.BUY else price <= order.trigger


def _take(book: MatchBook, order: SimOrder, now: int, outcome: Outcome) -> None:
    """Let an order act on the last trade: trigger it if it is a stop, then fill it if it is marketable."""
    price = book.last_price
    if price <= 0:
        return
    if order.status is OrderStatus.TRIGGER_PENDING:
        if not _triggers(order, price):
            return
        order.status = OrderStatus.TRIGGERED
        outcome.changed.append(order.order_id)
    if _reaches(order, price):
        _fill(book, order, price, now, outcome)


def _fill(book: MatchBook, order: SimOrder, price: int, now: int, outcome: Outcome) -> None:
    quantity = min(order.remaining, book.left)
    if quantity <= 0:
        return
    if book.left < UNLIMITED:
        book.left -= quantity
    order.filled += quantity
    order.value += quantity * price
    if order.remaining == 0:
        order.status = OrderStatus.FILLED
        del book.live[order.order_id]
    outcome.changed.append(order.order_id)
    outcome.fills.append(Fill(order_id=order.order_id, side=order.side, quantity=quantity, price=price, time=now))


def is_final(order: SimOrder) -> bool:
    """Whether nothing can change the order any more."""
    return order.status in FINAL
