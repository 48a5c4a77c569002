"""The model's exchange, broker and order door: adversarial but fair, deterministic, with faults for a test to ask."""

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from algo_crds.contracts import wire
from algo_crds.contracts.constants import ENGINE, EngineConstants
from algo_crds.contracts.orders import (
    FINAL,
    OrderRow,
    OrderStatus,
    OrderType,
    PositionRow,
    Product,
    RejectKind,
    Side,
)
from algo_runner.engine.events import Event
from engine_setup import CAPABILITY, INSTRUMENT, SESSION, at, rupees


@dataclass
class Deal:
    """An order as the broker has it."""

    id: str
    tag: str | None
    side: Side
    type: OrderType
    quantity: int
    price: int
    trigger: int
    status: OrderStatus
    time: int
    filled: int = 0
    value: int = 0
    reject: RejectKind | None = None
    visible_at: int = 0

    @property
    def live(self) -> bool:
        return self.status not in FINAL

    @property
    def remaining(self) -> int:
        return self.quantity - self.filled if self.live else 0


Outcome = str
"""accept, door:<kind>, order:<kind>, row:<kind> (taken, and refused in its row), not_sent, lost (unknown, not done),
done (unknown, done), mute (no answer, not done), mute_done (no answer, done)."""


@dataclass
class Exchange:
    """Market, broker and door. `tell` and `later` deliver to whoever runs the engine."""

    capability: wire.Capability = CAPABILITY
    instrument: wire.Instrument = INSTRUMENT
    constants: EngineConstants = ENGINE
    session: wire.SessionTimes = SESSION
    now: int = at("09:15:00")
    price: int = rupees(2000)
    latency: int = 0
    row_delay: int = 0
    liquidity: int | None = None
    fill_limits: deque[int] = field(default_factory=deque)
    rows_lost: bool = False
    names_remainder: bool | None = None
    """Whether a change names what remains, whatever the record says; None: as the record says."""
    visible_delay: int = 0
    """How long a new order is missing in the book."""

    def __post_init__(self) -> None:
        self.deals: list[Deal] = []
        self.heap: list[tuple[int, int, Event]] = []
        self.count = 0
        self.row_seq = 0
        self.told: list[OrderRow] = []
        """Every row of the socket."""
        self.script: dict[str, deque[Outcome]] = {"place": deque(), "modify": deque(), "cancel": deque()}
        self.book_down = False
        self.connected = False
        self.forwarded: set[str] = set()
        self.in_flight: dict[str, int] = {}
        """Tags at the broker without an outcome, with the instant at which the door gives up or has heard."""
        self.last_send = 0
        self.last_tag = ""
        self.volume = 0
        self.feed_on = True
        self.session_until = at("23:59:00")
        self.halted = False

    def _match_all(self) -> None:
        for deal in self.deals:
            if deal.live:
                self._match(deal)

    def _match(self, deal: Deal) -> None:
        sign = 1 if deal.side is Side.BUY else -1
        if deal.status is OrderStatus.TRIGGER_PENDING:
            if sign * (self.price - deal.trigger) < 0:
                return
            deal.status = OrderStatus.TRIGGERED
            self.tell(deal)
        if deal.status not in (OrderStatus.OPEN, OrderStatus.TRIGGERED) or sign * (deal.price - self.price) < 0:
            return
        room = deal.remaining
        if self.fill_limits:
            room = min(room, self.fill_limits.popleft())
        elif self.liquidity is not None:
            room = min(room, self.liquidity)
        if room <= 0:
            return
        deal.filled += room
        deal.value += room * self.price
        if deal.filled >= deal.quantity:
            deal.status = OrderStatus.FILLED
        self.tell(deal)

    def row(self, deal: Deal, **changes: Any) -> OrderRow:
        status, kind, trigger = deal.status, deal.type, deal.trigger
        waiting = status in (OrderStatus.TRIGGER_PENDING, OrderStatus.TRIGGERED)
        if waiting and not self.capability.has_trigger_status:
            status = OrderStatus.OPEN
        values: dict[str, Any] = {
            "broker_order_id": deal.id,
            "tag": deal.tag,
            "exchange_order_id": None if deal.status is OrderStatus.REJECTED else f"x{deal.id}",
            "exchange": "NSE",
            "symbol": "RELIANCE",
            "product": Product.INTRADAY,
            "side": deal.side,
            "type": kind,
            "quantity": deal.quantity,
            "price": deal.price,
            "trigger": trigger,
            "filled": deal.filled,
            "average_price": deal.value // deal.filled if deal.filled else 0,
            "status": status,
            "reject_kind": deal.reject,
            "order_time": deal.time,
            "read_at": self.now,
        }
        return OrderRow(**(values | changes))

    def tell(self, deal: Deal) -> None:
        """The broker's order socket tells of a change."""
        if self.connected and not self.rows_lost:
            self.row_seq += 1
            self.told.append(self.row(deal))
            event = wire.Row(now=self.now, seq=self.row_seq, row=self.told[-1])
            self.later(event, self.latency + self.row_delay)

    def book(self, req: int = 0) -> wire.Book:
        if self.book_down:
            return wire.Book(now=self.now, req=req, begun_at=self.now, unavailable="timeout")
        rows = tuple(self.row(deal) for deal in self.deals if deal.visible_at <= self.now)
        return wire.Book(now=self.now, req=req, begun_at=self.now, rows=rows)

    def positions(self, req: int = 0) -> wire.Positions:
        if self.book_down:
            return wire.Positions(now=self.now, req=req, begun_at=self.now, unavailable="timeout")
        net = sum(deal.filled * (1 if deal.side is Side.BUY else -1) for deal in self.deals)
        row = PositionRow(exchange="NSE", symbol="RELIANCE", product=Product.INTRADAY, quantity=net)
        return wire.Positions(now=self.now, req=req, begun_at=self.now, rows=(row,))

    def write(self, action: wire.Place | wire.Modify | wire.Cancel) -> None:
        """A write reaches the door: as scripted, otherwise as the broker takes it."""
        kind = {wire.Place: "place", wire.Modify: "modify", wire.Cancel: "cancel"}[type(action)]
        outcome = self.script[kind].popleft() if self.script[kind] else "accept"
        placing = isinstance(action, wire.Place)
        if placing and action.tag in self.forwarded:
            outcome = f"door:{RejectKind.DUPLICATE_TAG.value}"
        elif placing and self.session_until <= self.now:
            outcome = f"door:{RejectKind.SESSION.value}"
        what, _, detail = outcome.partition(":")
        if what in ("door", "order") or (what == "row" and not placing):
            self.later(wire.Rejected(now=self.now, req=action.req, kind=RejectKind(detail), message="scripted"))
        elif what == "not_sent":
            self.later(wire.NotSent(now=self.now, req=action.req, reason="late"))
        else:
            self._forward(action, what, RejectKind(detail) if detail else None)

    def _forward(
        self, action: wire.Place | wire.Modify | wire.Cancel, what: str, by_row: RejectKind | None = None
    ) -> None:
        self.last_send = self.now
        placing = isinstance(action, wire.Place)
        if placing:
            self.forwarded.add(action.tag)
            self.last_tag = action.tag
        if placing:
            silent = self.constants.http_timeout_ms if what.startswith("mute") else 0
            self.in_flight[action.tag] = self.now + self.latency + silent
        broker_id, refused = ("", None)
        if isinstance(action, wire.Place) and by_row is not None:
            broker_id, _ = self._open(action, by_row)
        elif what in ("accept", "done", "mute_done"):
            broker_id, refused = self._apply(action)
        if what == "accept" and refused is not None:
            self.later(wire.Rejected(now=self.now, req=action.req, kind=refused, message="broker"))
        elif what in ("accept", "row"):
            self.later(wire.Accepted(now=self.now, req=action.req, broker_order_id=broker_id))
        elif what in ("lost", "done"):
            self.later(wire.Unknown(now=self.now, req=action.req, reason="scripted"))
        touched = next((deal for deal in self.deals if deal.id == broker_id), None)
        if touched is not None and touched.live:
            self._match(touched)

    def _apply(self, action: wire.Place | wire.Modify | wire.Cancel) -> tuple[str, RejectKind | None]:
        if isinstance(action, wire.Place):
            return self._open(action)
        deal = next((d for d in self.deals if d.id == action.broker_order_id), None)
        if deal is None or not deal.live:
            return "", RejectKind.NOT_MODIFIABLE
        if isinstance(action, wire.Cancel):
            deal.status = OrderStatus.CANCELLED
            self.tell(deal)
            return deal.id, None
        if deal.status is OrderStatus.TRIGGERED and action.type is OrderType.STOP_LIMIT:
            return deal.id, RejectKind.NOT_MODIFIABLE
        refused = self._refuse(action.type, deal.side, action.price, action.trigger)
        if refused is not None:
            return deal.id, refused
        remainder = self.names_remainder
        if remainder is None:
            remainder = not self.capability.modify_quantity_is_total
        total = action.quantity + deal.filled if remainder else action.quantity
        if total <= deal.filled:
            return deal.id, RejectKind.QUANTITY
        deal.type, deal.price, deal.trigger, deal.quantity = action.type, action.price, action.trigger, total
        if action.type is OrderType.LIMIT:
            deal.status = OrderStatus.OPEN
        self.tell(deal)
        return deal.id, None

    def _open(self, action: wire.Place, by_row: RejectKind | None = None) -> tuple[str, RejectKind | None]:
        refused = by_row or self._refuse(action.type, action.side, action.price, action.trigger)
        if self.now >= self.session.last_match:
            refused = RejectKind.CLOSED
        status = OrderStatus.TRIGGER_PENDING if action.type is OrderType.STOP_LIMIT else OrderStatus.OPEN
        deal = Deal(
            id=f"b{len(self.deals) + 1}",
            tag=action.tag.upper() if len(self.deals) % 2 else action.tag,
            side=action.side,
            type=action.type,
            quantity=action.quantity,
            price=action.price,
            trigger=action.trigger,
            status=OrderStatus.REJECTED if refused else status,
            time=self.now,
            reject=refused,
            visible_at=self.now + self.visible_delay,
        )
        self.deals.append(deal)
        self.tell(deal)
        return deal.id, None  # the order system takes it; a refusal shows in its row

    def _refuse(self, kind: OrderType, side: Side, price: int, trigger: int) -> RejectKind | None:
        tick = self.instrument.tick_size
        if price % tick or trigger % tick:
            return RejectKind.TICK_SIZE
        if not self.instrument.band_low <= price <= self.instrument.band_high:
            return RejectKind.BAND
        sign = 1 if side is Side.BUY else -1
        if kind is OrderType.STOP_LIMIT:
            if sign * (price - trigger) < 0:
                return RejectKind.PRICE
            if sign * (self.price - trigger) >= 0:
                return RejectKind.THROUGH
        return None

    def later(self, event: Event, delay: int | None = None) -> None:
        """Deliver an event after the latency."""
        self.count += 1
        when = self.now + (self.latency if delay is None else delay)
        heapq.heappush(self.heap, (when, self.count, event))
