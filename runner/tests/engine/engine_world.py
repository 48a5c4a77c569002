"""A broker, a market and a door in memory, adversarial but fair, and a harness that runs the engine against them.

The harness checks the invariants after every step, against the engine's beliefs and against the broker's truth. Faults
are asked for one call at a time (`Rig.script`) or set as standing conditions; everything is deterministic.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from algo_crds.contracts import wire
from algo_crds.contracts.orders import (
    FINAL,
    Leg,
    OrderRow,
    OrderStatus,
    OrderType,
    PositionRow,
    Product,
    RejectKind,
    Side,
)
from algo_crds.contracts.runtime import Desired, Level, RuntimeSpec, StrategySpec, StrategyView
from algo_runner.engine import invariants, view
from algo_runner.engine.actions import Action, Alert, Intent, Journal, SetCondition, SetPhase, WakeAt
from algo_runner.engine.events import CLOCK, Command, CommandKind, Disconnected, Event, SpecChanged
from algo_runner.engine.orders import held
from algo_runner.engine.state import State, initial, replay, restore, snapshot
from algo_runner.engine.step import step
from msgspec.structs import replace

RUPEE = 10_000
DAY = "2021-04-12"
MIDNIGHT = 1_618_165_800_000
"""Midnight of that day in India."""
STRATEGY = "str_01m8aaaaaaaaaaaaaaaaaaaaaa"


def at(text: str) -> int:
    """The instant of a time of the day."""
    hours, minutes, seconds = text.split(":")
    return MIDNIGHT + (int(hours) * 3600 + int(minutes) * 60) * 1000 + int(float(seconds) * 1000)


def seconds(text: str) -> int:
    """The seconds of a time of the day."""
    return (at(text) - MIDNIGHT) // 1000


def rupees(amount: float) -> int:
    """A price from rupees, for readable tests."""
    return round(amount * RUPEE)


def make_spec(**changes: Any) -> RuntimeSpec:
    """A strategy: RELIANCE, 10 shares, stop at 1 %; keywords change the spec or the runtime spec."""
    outer = {key: changes.pop(key) for key in tuple(changes) if key in RuntimeSpec.__struct_fields__ and key != "spec"}
    inner: dict[str, Any] = {
        "exchange": "NSE",
        "symbol": "RELIANCE",
        "side": Side.BUY,
        "quantity": 10,
        "buy_time": seconds("09:20:00"),
        "sell_time": seconds("15:05:00"),
        "stop_loss": Level(bp=100),
    }
    spec = StrategySpec(**(inner | changes))
    return RuntimeSpec(
        **(
            {"strategy_id": STRATEGY, "tenant_id": "tnt_x", "name": "ns/one", "generation": 1, "desired": Desired.RUN}
            | outer
        ),
        spec=spec,
    )


CAPABILITY = wire.Capability(
    broker="zerodha",
    convert_stop_to_exit=True,
    modify_quantity_is_total=True,
    has_trigger_status=True,
    max_modifications=25,
    visibility_delay_ms=10_000,
    read_by_tag=False,
    max_trigger_gap_bp=0,
)
INSTRUMENT = wire.Instrument(
    exchange="NSE",
    symbol="RELIANCE",
    tick_size=500,
    lot=1,
    freeze_quantity=100_000,
    band_low=rupees(1800),
    band_high=rupees(2200),
    previous_close=rupees(2000),
)
SESSION = wire.SessionTimes(
    day=DAY,
    open=at("09:15:00"),
    last_new_order=at("15:20:00"),
    end_of_stops=at("15:30:00"),
    last_match=at("15:30:00"),
)


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
"""accept, door:<kind>, order:<kind>, not_sent, lost (unknown, not done), done (unknown, done), mute (no answer, not done),
mute_done (no answer, done)."""


@dataclass
class Rig:
    """The engine in its world."""

    spec: RuntimeSpec = field(default_factory=make_spec)
    capability: wire.Capability = CAPABILITY
    instrument: wire.Instrument = INSTRUMENT
    session: wire.SessionTimes = SESSION
    now: int = at("09:15:00")
    price: int = rupees(2000)
    latency: int = 0
    row_delay: int = 0
    liquidity: int | None = None
    fill_limits: deque[int] = field(default_factory=deque)
    rows_lost: bool = False
    check: bool = True
    own_clock: bool = True

    def __post_init__(self) -> None:
        self.state: State = initial(self.spec)
        self.deals: list[Deal] = []
        self.heap: list[tuple[int, int, Event]] = []
        self.count = 0
        self.row_seq = 0
        self.epoch = 100
        self.wake = 0
        self.journal: list[Any] = []
        self.actions: list[Action] = []
        self.log: list[tuple[int, Action]] = []
        self.script: dict[str, deque[Outcome]] = {"place": deque(), "modify": deque(), "cancel": deque()}
        self.book_down = False
        self.connected = False
        self.forwarded: set[str] = set()
        self.in_flight: set[str] = set()
        self.last_send = 0
        self.volume = 0
        self.feed_on = True
        self.session_until = at("23:59:00")
        self.snapshot = b""
        self.halted = False
        self.expect_oversell = False

    # The engine

    def feed(self, event: Event) -> None:
        """One step, with every check, and its actions done."""
        before = self.state
        self.state, actions = step(before, event, self.now)
        for action in actions:
            assert not (isinstance(action, Alert) and action.code == "EngineFault"), action.message
        self._verify(before, actions)
        self.actions.extend(actions)
        self.log.extend((self.now, action) for action in actions)
        for action in actions:
            self._do(action)

    def _verify(self, before: State, actions: tuple[Action, ...]) -> None:
        if not self.check:
            return
        problems = invariants.violations(self.state)
        problems.append(invariants.intent_before_entry(self.state, actions))
        problems.append(invariants.fills_only_grow(before, self.state))
        if not self.expect_oversell:
            problems.extend(invariants.refuses(self.state, action) for action in actions)
        problems = [text for text in problems if text]
        assert not problems, (problems, self.describe())

    def describe(self) -> str:
        """What happened, for a failing test."""
        lines = [f"{t - MIDNIGHT} {a!r}" for t, a in self.log if not isinstance(a, WakeAt)]
        return "\n".join([*lines[-40:], *(repr(deal) for deal in self.deals)])

    def _do(self, action: Action) -> None:
        match action:
            case wire.Place() | wire.Modify() | wire.Cancel():
                if self.connected:
                    self._write(action)
            case wire.ReadBook() if self.connected:
                self.later(self.book(action.req))
            case wire.ReadPositions() if self.connected:
                self.later(self.positions(action.req))
            case wire.ReadQuote() if self.connected:
                if self.feed_on:
                    self.later(self.quote())
            case Journal():
                self.journal.append(action.entry)
            case WakeAt():
                self.wake = action.at
            case _:
                pass

    def later(self, event: Event, delay: int | None = None) -> None:
        """Deliver an event after the latency."""
        self.count += 1
        when = self.now + (self.latency if delay is None else delay)
        heapq.heappush(self.heap, (when, self.count, event))

    def settle(self) -> None:
        """Deliver all that is due now, and the clock the engine asked for."""
        for _ in range(500):
            if self.heap and self.heap[0][0] <= self.now:
                event = heapq.heappop(self.heap)[2]
                if self.connected or not isinstance(event, wire.Row | wire.Book | wire.Positions | wire.Accepted):
                    self.feed(stamped(event, self.now))
            elif self.wake and self.wake <= self.now:
                self.wake = 0
                self.feed(CLOCK)
            else:
                return
        raise AssertionError("the engine does not come to rest\n" + self.describe())

    def advance(self, ms: int) -> None:
        """Let time pass, stopping at everything that is due."""
        end = self.now + ms
        self.settle()
        while True:
            due = [when for when in (self.heap[0][0] if self.heap else 0, self.wake) if when]
            following = min(due, default=end + 1)
            if following > end:
                break
            self.now = max(self.now, following)
            self.settle()
        self.now = end
        self.settle()

    def until(self, text: str) -> None:
        """Let time pass to a time of the day, with a tick each second at the standing price."""
        self.run_until(at(text), lambda: self.price)

    def run_until(self, end: int, price: Callable[[], int]) -> None:
        while self.now < end:
            self.advance(min(1000 - self.now % 1000, end - self.now))
            if self.feed_on and self.session.open <= self.now < self.session.last_match:
                self.tick(price())

    # The market

    def tick(self, price: int, **changes: Any) -> None:
        """A trade at a price: the exchange matches, then the feed tells (the order of a real day varies)."""
        self.price = price
        self._match_all()
        if self.feed_on:
            self.volume += 1
            values: dict[str, Any] = {
                "now": self.now,
                "price": price,
                "time": self.now // 1000 * 1000,
                "volume": self.volume,
                "source": "src",
            }
            self.feed(wire.Tick(**(values | changes)))
        self.settle()

    def quote(self) -> wire.Tick:
        return wire.Tick(
            now=self.now, price=self.price, time=self.now // 1000 * 1000, volume=self.volume, source="src", polled=True
        )

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

    def close(self) -> None:
        """The exchange's end of the day: what rests is cancelled."""
        for deal in self.deals:
            if deal.live:
                deal.status = OrderStatus.CANCELLED
                self.tell(deal)
        self.settle()

    # The broker

    def row(self, deal: Deal, **changes: Any) -> OrderRow:
        status, kind, trigger = deal.status, deal.type, deal.trigger
        if not self.capability.has_trigger_status:
            if status is OrderStatus.TRIGGER_PENDING or status is OrderStatus.TRIGGERED:
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
            event = wire.Row(now=self.now, seq=self.row_seq, row=self.row(deal))
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

    def _write(self, action: wire.Place | wire.Modify | wire.Cancel) -> None:
        kind = {wire.Place: "place", wire.Modify: "modify", wire.Cancel: "cancel"}[type(action)]
        outcome = self.script[kind].popleft() if self.script[kind] else "accept"
        what, _, detail = outcome.partition(":")
        if isinstance(action, wire.Place):
            if action.tag in self.forwarded:
                outcome, what, detail = "", "door", RejectKind.DUPLICATE_TAG.value
            elif self.session_until <= self.now:
                what, detail = "door", RejectKind.SESSION.value
        if what == "door" or what == "order":
            self.later(wire.Rejected(now=self.now, req=action.req, kind=RejectKind(detail), message="scripted"))
            return
        if what == "not_sent":
            self.later(wire.NotSent(now=self.now, req=action.req, reason="late"))
            return
        self.last_send = self.now
        refused: RejectKind | None = None
        broker_id = ""
        if isinstance(action, wire.Place):
            self.forwarded.add(action.tag)
        if what in ("accept", "done", "mute_done"):
            broker_id, refused = self._apply(action)
        if what == "accept":
            if refused is not None:
                self.later(wire.Rejected(now=self.now, req=action.req, kind=refused, message="broker"))
            else:
                self.later(wire.Accepted(now=self.now, req=action.req, broker_order_id=broker_id))
        elif what in ("lost", "done"):
            if isinstance(action, wire.Place):
                self.in_flight.add(action.tag)
            self.later(wire.Unknown(now=self.now, req=action.req, reason="scripted"))
        elif isinstance(action, wire.Place):
            self.in_flight.add(action.tag)
        self._match_all()

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
        total = action.quantity if self.capability.modify_quantity_is_total else action.quantity + deal.filled
        if total <= deal.filled:
            return deal.id, RejectKind.QUANTITY
        deal.type, deal.price, deal.trigger, deal.quantity = action.type, action.price, action.trigger, total
        if action.type is OrderType.LIMIT:
            deal.status = OrderStatus.OPEN
        self.tell(deal)
        return deal.id, None

    def _open(self, action: wire.Place) -> tuple[str, RejectKind | None]:
        refused = self._refuse(action.type, action.side, action.price, action.trigger)
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
            visible_at=self.now,
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

    # People and machines

    def connect(self) -> None:
        """A new connection to the door."""
        self.connected = True
        self.feed(
            wire.Welcome(
                now=self.now,
                epoch=self.epoch,
                account="brk",
                source="src",
                own_clock=self.own_clock,
                simulated=True,
                instrument=self.instrument,
                session=self.session,
                capability=self.capability,
                in_flight=tuple(sorted(self.in_flight)),
                last_send=self.last_send,
                broker=self.health(),
            )
        )
        self.settle()

    def health(self, **changes: Any) -> wire.BrokerHealth:
        values: dict[str, Any] = {"now": self.now, "session_valid_until": self.session_until, "halted": self.halted}
        return wire.BrokerHealth(**(values | changes))

    def disconnect(self) -> None:
        """The connection breaks: what is on its way is lost."""
        self.connected = False
        self.heap = [item for item in self.heap if isinstance(item[2], wire.Tick)]
        heapq.heapify(self.heap)
        self.feed(Disconnected(reason="scripted"))

    def restart(self, how: str = "snapshot", snapshot_of: State | None = None) -> None:
        """The process dies and comes back: from its snapshot, from the journal alone, or from the book only."""
        if self.connected:
            self.connected = False
            self.heap = []
        self.wake = 0
        if how == "book":
            self.state = initial(self.spec)
        elif how == "journal":
            self.state = initial(self.spec)
            for entry in self.journal:
                replay(self.state, entry)
        else:
            restored = restore(snapshot(snapshot_of if snapshot_of is not None else self.state))
            assert restored is not None
            self.state = restored
            for entry in self.journal:
                replay(self.state, entry)
        self.connect()

    def change(self, **changes: Any) -> None:
        """Another spec from the operator."""
        outer = {k: v for k, v in changes.items() if k in RuntimeSpec.__struct_fields__ and k != "spec"}
        inner = {k: v for k, v in changes.items() if k not in outer}
        self.spec = replace(
            self.spec, generation=self.spec.generation + 1, spec=replace(self.spec.spec, **inner), **outer
        )
        self.feed(SpecChanged(spec=self.spec))
        self.settle()

    def command(self, kind: CommandKind, **fields: Any) -> None:
        self.feed(Command(kind=kind, actor="usr_test", **fields))
        self.settle()

    def by_hand(self, quantity: int, side: Side | None = None) -> None:
        """The trader trades in the broker's app."""
        side = side or (Side.SELL if self.spec.spec.side is Side.BUY else Side.BUY)
        deal = Deal(
            id=f"b{len(self.deals) + 1}",
            tag=None,
            side=side,
            type=OrderType.LIMIT,
            quantity=quantity,
            price=self.price,
            trigger=0,
            status=OrderStatus.FILLED,
            time=self.now,
            filled=quantity,
            value=quantity * self.price,
        )
        self.deals.append(deal)
        self.tell(deal)
        self.settle()

    def cancel_by_hand(self, deal: Deal) -> None:
        deal.status = OrderStatus.CANCELLED
        self.tell(deal)
        self.settle()

    # Looking

    @property
    def held(self) -> int:
        return held(self.state)

    @property
    def view(self) -> StrategyView:
        return view.view(self.state, self.now)

    @property
    def true_held(self) -> int:
        """Shares by the broker's truth, in the strategy's direction."""
        sign = 1 if self.spec.spec.side is Side.BUY else -1
        return sign * sum(d.filled * (1 if d.side is Side.BUY else -1) for d in self.deals)

    @property
    def true_working(self) -> int:
        """What the broker may still sell."""
        return sum(d.remaining for d in self.deals if d.side is not self.spec.spec.side)

    def legs(self, leg: Leg) -> list[Deal]:
        letter = {Leg.ENTRY: "e", Leg.STOP: "s", Leg.EXIT: "x"}[leg]
        return [deal for deal in self.deals if deal.tag is not None and deal.tag.lower()[12] == letter]

    @property
    def stop(self) -> Deal:
        return self.legs(Leg.STOP)[-1]

    def condition(self, name: str) -> str:
        return self.state.conditions[name].status

    def sent(self, kind: type[Any]) -> list[Any]:
        return [action for action in self.actions if isinstance(action, kind)]

    def forget(self) -> None:
        self.actions.clear()

    def alerts(self) -> list[str]:
        return [a.code for a in self.actions if isinstance(a, Alert)]

    def transitions(self) -> list[str]:
        return [
            f"{a.name}={a.current}" if isinstance(a, SetCondition) else f"{a.current}"
            for a in self.actions
            if isinstance(a, SetCondition | SetPhase)
        ]


def stamped(event: Event, now: int) -> Event:
    """An event as it arrives: the row's time of reading is the time of arrival."""
    if isinstance(event, wire.Row):
        return replace(event, now=now, row=replace(event.row, read_at=now))
    return event


def started(**changes: Any) -> Rig:
    """A world at the opening, connected and reconciled."""
    rig = Rig(**changes)
    rig.connect()
    rig.advance(0)
    return rig


def bought(**changes: Any) -> Rig:
    """A world in which the entry has filled at 2000.00 and the stop rests."""
    rig = started(now=at("09:19:50"), **changes)
    rig.until("09:20:02")
    assert rig.held > 0, rig.describe()
    return rig


def protected_state(**changes: Any) -> State:
    """A state with a confirmed resting stop: for benchmarks and tests."""
    return bought(**changes).state


def entries_of(journal: list[Any]) -> list[Intent]:
    return [entry for entry in journal if isinstance(entry, Intent)]


def equal_states(one: State, other: State) -> bool:
    """Whether two states are the same in every fact."""
    return msgspec.json.decode(snapshot(one)) == msgspec.json.decode(snapshot(other))
