"""The door's state machine. Every way in answers with the effects that the shell must carry out, in order.

What it promises, whatever arrives: a tag is forwarded at most once; an order is never sent after its `send_before`;
only the newest epoch of a strategy acts, and only on orders of that strategy; nothing is ever retried; halts and the
breaker stop entries and trailing only. A refusal is an answer (`Rejected`, `NotSent`), never silence.
"""

import itertools
from collections.abc import Iterable
from datetime import date

import msgspec
from algo_brokers.breaker import BreakerState
from algo_brokers.limits import Limiter, Windows
from algo_brokers.limits import Write as Kind
from algo_crds.contracts import wire
from algo_crds.contracts.constants import SHELL, ShellConstants
from algo_crds.contracts.orders import FINAL, Leg, OrderClass, OrderRow, Product, RejectKind
from algo_crds.contracts.tags import parse_tag
from algo_crds.contracts.tokens import RunnerClaims

from algo_gateway.door.account_book import AccountBook
from algo_gateway.door.effects import Cut, Effect, Notice, Reply, Send, Write
from algo_gateway.door.orphans import Orphans
from algo_gateway.door.owners import Owner, Owners, note_send
from algo_gateway.door.unknown_states import UnknownStates

EXIT_CLASSES = (OrderClass.URGENT_EXIT, OrderClass.STOP, OrderClass.EXIT)
"""Classes that may use the whole of a window, and that breaker and halts let pass. A tuple, as below: a look into a set
or a dict asks an enum's member for its hash, which is Python code on the way of every order."""

RESTART_CALLS = 2
"""Calls that a gateway may have made in its last moment and that the book does not show yet: windows round up."""

_ORDER = tuple(OrderClass)
_LAST_EXIT = _ORDER.index(OrderClass.EXIT)
_PRODUCTS = {product.value: product for product in Product}


class _Queued(msgspec.Struct, frozen=True):
    """A write that waits for its place in the windows."""

    rank: int
    arrival: int
    connection: int
    write: Write


class _InFlight(msgspec.Struct, frozen=True):
    """A write at the broker whose outcome is not seen yet."""

    connection: int
    strategy: str
    exchange: str
    symbol: str
    product: Product
    write: Write


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What stops entries and trailing: halts (unknown until told), the breaker, the session."""

    halts_known: bool = False
    halt_reason: str = ""
    breaker: BreakerState = BreakerState.CLOSED
    session: bool = False


class Door:
    """One account's door."""

    def __init__(self, windows: Windows, constants: ShellConstants = SHELL) -> None:
        self.owners = Owners()
        self.gate = Gate()
        self._limiter = Limiter(windows.writes, exit_share_percent=constants.exit_share_percent)
        self._arrivals = itertools.count()
        self._calls = itertools.count(1)
        self._queue: list[_Queued] = []
        self._in_flight: dict[int, _InFlight] = {}
        self._forwarded: set[str] = set()
        self._placed: dict[str, str] = {}
        self.orders = AccountBook()
        """Those of the day, as far as they are known."""
        self._book_known = False
        self._orphans = Orphans()
        self._unknown = UnknownStates()

    # Connections

    def connect(self, connection: int, claims: RunnerClaims, now: int) -> tuple[bool, list[Effect]]:
        """A runner with a valid token connected: whether it owns its strategy now; if so the shell sends `Welcome`."""
        admission = self.owners.admit(connection, claims)
        if admission.refused:
            lost = wire.EpochLost(now=now, newest=admission.newest)
            return False, [
                Reply(connection, lost),
                Cut(connection, admission.refused),
                Notice("RunnerRefused", admission.refused, claims.sub),
            ]
        effects: list[Effect] = []
        if admission.replaced is not None:
            effects += self._drop_queued(admission.replaced, now, "a newer connection owns the strategy", answer=True)
            if admission.replaced_epoch < claims.epoch:
                effects.append(Reply(admission.replaced, wire.EpochLost(now=now, newest=claims.epoch)))
            effects.append(Cut(admission.replaced, "a newer connection owns the strategy"))
        return True, effects

    def disconnect(self, connection: int, now: int) -> list[Effect]:
        """A connection is gone: what it had queued is dropped, what is at the broker goes on."""
        self.owners.leave(connection)
        return self._drop_queued(connection, now, "connection lost", answer=False)

    def in_flight_tags(self, strategy: str) -> tuple[str, ...]:
        """Tags of a strategy that are at the broker without an outcome."""
        return tuple(call.write.tag for call in self._in_flight.values() if call.strategy == strategy)

    def traded_by(self, call: int) -> tuple[str, str, Product]:
        """Exchange, symbol and product of a call in flight: a runner trades one of each."""
        flight = self._in_flight[call]
        return flight.exchange, flight.symbol, flight.product

    # Writes

    def write(self, connection: int, write: Write, now: int) -> list[Effect]:
        """A runner wants something done: refused at once, or queued and possibly sent at once."""
        owner = self.owners.of_connection(connection)
        if owner is None:
            return [Reply(connection, _refusal(write, now, RejectKind.OLD_EPOCH, "another runner owns the strategy"))]
        refusal = self._refused(owner, write, now)
        if refusal is not None:
            return [Reply(connection, refusal)]
        if isinstance(write, wire.Place):
            self._forwarded.add(write.tag.lower())
        queued = _Queued(_ORDER.index(_class_of(write)), next(self._arrivals), connection, write)
        # Nothing is before it: the usual way, and the shortest.
        if not self._queue and self._free_at(write, now) <= now:
            return [self._send(queued, now)]
        self._queue.append(queued)
        return self.pump(now)

    def pump(self, now: int) -> list[Effect]:
        """Send what the windows allow, most urgent first; drop what is too late. Call again at `next_pump`."""
        effects: list[Effect] = []
        self._queue.sort(key=lambda queued: (queued.rank, queued.arrival))
        waiting: list[_Queued] = []
        for queued in self._queue:
            write = queued.write
            if now >= write.send_before:
                self._forget(write)
                effects.append(
                    Reply(queued.connection, wire.NotSent(now=now, req=write.req, reason="too late to send"))
                )
            elif queued.rank > _LAST_EXIT and (closed := self._gate_closed(write, now)) is not None:
                self._forget(write)  # a halt that came while it waited
                effects.append(Reply(queued.connection, closed))
            elif self._free_at(write, now) > now:
                waiting.append(queued)
            else:
                effects.append(self._send(queued, now))
        self._queue = waiting
        return effects

    def next_pump(self, now: int) -> int | None:
        """When `pump` should be called again, by session time; None when nothing waits."""
        if not self._queue:
            return None
        return min(min(queued.write.send_before, self._free_at(queued.write, now)) for queued in self._queue)

    def outcome(self, call: int, outcome: wire.Accepted | wire.Rejected | wire.Unknown | wire.NotSent) -> list[Effect]:
        """The broker answered, or did not; the shell has made the message with the write's `req`."""
        flight = self._in_flight.pop(call, None)
        if flight is None:
            return []
        if isinstance(outcome, wire.NotSent):
            self._forget(flight.write)
        tag = parse_tag(flight.write.tag)
        if isinstance(outcome, wire.Accepted) and tag is not None:
            self._placed[outcome.broker_order_id] = tag.strategy_hash
        owner = self.owners.of_connection(flight.connection)
        if owner is None or owner.strategy != flight.strategy:
            return []
        return [Reply(flight.connection, outcome)]

    # What the door learns

    def book(self, rows: Iterable[OrderRow], now: int, *, restore: bool) -> list[Effect]:
        """A whole book was read: its tags may not be used again. `restore`: the first one, which fills the windows."""
        rows = tuple(rows)
        self._book_known = True
        if restore:
            self._limiter.rebuild(now, [row.order_time for row in rows], unseen=RESTART_CALLS)
        effects: list[Effect] = []
        for row in rows:
            effects += self.row(row)
        return effects

    def row(self, row: OrderRow) -> list[Effect]:
        """One order row, from the socket or the book."""
        tag = parse_tag(row.tag)
        known = self.orders.row(row.broker_order_id) is not None
        self.orders.merge(row)
        effects: list[Effect] = [*self._unknown.notices(row)]
        if tag is None or row.tag is None:
            return effects
        self._forwarded.add(row.tag.lower())
        if known or self.orders.row(row.broker_order_id) is None or row.status in FINAL:
            return effects
        if self.owners.of_hash(tag.strategy_hash) is None:
            text = f"order {row.broker_order_id} carries tag {row.tag} of no known strategy"
            effects.append(Notice("OrderWithoutStrategy", text))
        return effects

    def start_day(self, day: date) -> None:
        """The trading day that it is: orders of earlier ones are over."""
        self.orders.start_day(day)

    def cancel_orphans(self, now: int, wall: int) -> list[Effect]:
        """Cancel entries that nobody guards, each once, where the windows leave room. Call it each second; `wall` is
        monotonic ms."""
        if not self.gate.session:
            return []
        entries = self.orders.live_entries()
        effects: list[Effect] = []
        for row in self._orphans.due(entries, connected=self._is_connected, now=now, wall=wall):
            cancel = wire.Cancel(
                req=0,
                broker_order_id=row.broker_order_id,
                tag=row.tag or "",
                order_class=OrderClass.ENTRY,
                send_before=now + 1,
            )
            under_way = any(call.write.tag.lower() == cancel.tag.lower() for call in self._in_flight.values())
            if under_way or self._limiter.free_at(now, Kind.CANCEL, exits=False) > now:
                continue
            self._orphans.asked(row.broker_order_id)
            self._limiter.take(now, Kind.CANCEL)
            call = next(self._calls)
            self._in_flight[call] = _InFlight(0, "", row.exchange, row.symbol, row.product, cancel)
            text = f"order {row.broker_order_id} ({row.tag}) could open a position that nobody guards: cancelling it"
            effects += [Notice("OrphanEntry", text), Send(call, cancel)]
        return effects

    def has_live_orders(self) -> bool:
        """Whether any order of ours may still change: then the book is read at an interval."""
        return bool(self._in_flight) or self.orders.live()

    @property
    def calls(self) -> int:
        """Writes at the broker without an outcome."""
        return len(self._in_flight)

    @property
    def queued(self) -> int:
        """Writes that wait for the windows."""
        return len(self._queue)

    @property
    def open_positions(self) -> int:
        """Strategies of the account that hold something, by the fills of their tags."""
        return self.orders.open_positions()

    # Inside

    def _refused(self, owner: Owner, write: Write, now: int) -> wire.Rejected | wire.NotSent | None:
        if now >= write.send_before:
            return wire.NotSent(now=now, req=write.req, reason="too late to send")
        tag = parse_tag(write.tag)
        if tag is None or tag.strategy_hash != owner.hash8:
            return _refusal(write, now, RejectKind.NOT_OWNER, f"tag {write.tag} is not this strategy's")
        if isinstance(write, wire.Place):
            if write.tag.lower() in self._forwarded:
                return _refusal(write, now, RejectKind.DUPLICATE_TAG, f"tag {write.tag} was used before")
        else:
            if self._holder(write.broker_order_id, owner.hash8) != owner.hash8:
                text = f"order {write.broker_order_id} is not this strategy's"
                return _refusal(write, now, RejectKind.NOT_OWNER, text)
        if not self.gate.session:
            return _refusal(write, now, RejectKind.SESSION, "no broker session: log in again")
        if _class_of(write) in EXIT_CLASSES or isinstance(write, wire.Cancel):
            return None
        return self._closed_to_entries(owner, write, now)

    def _gate_closed(self, write: Write, now: int) -> wire.Rejected | None:
        gate = self.gate
        if isinstance(write, wire.Cancel):
            return None
        if not gate.halts_known:
            return _refusal(write, now, RejectKind.HALTED, "the halts in force are not known yet")
        if gate.halt_reason:
            return _refusal(write, now, RejectKind.HALTED, gate.halt_reason)
        if not self._book_known:  # tags used before, windows and owners of symbols are not known without it
            return _refusal(write, now, RejectKind.HALTED, "the order book has not been read yet")
        if gate.breaker is BreakerState.OPEN or (gate.breaker is BreakerState.HALF_OPEN and self._trial()):
            text = f"the circuit breaker is {gate.breaker}: the broker did not answer, one entry tries it again"
            return _refusal(write, now, RejectKind.BROKER_DOWN, text)
        return None

    def _trial(self) -> bool:
        return any(_class_of(call.write) not in EXIT_CLASSES for call in self._in_flight.values())

    def _closed_to_entries(self, owner: Owner, write: Write, now: int) -> wire.Rejected | None:
        closed = self._gate_closed(write, now)
        if closed is not None:
            return closed
        if isinstance(write, wire.Place) and self._taken(owner):
            text = f"another strategy of the account is live on {owner.claims.symbol} {owner.claims.product}"
            return _refusal(write, now, RejectKind.NOT_OWNER, text)
        if _class_of(write) is OrderClass.ENTRY and not self._limiter.exit_budget(now, positions=self.open_positions):
            text = f"what is left of the order limits is kept to exit {self.open_positions} open positions"
            return _refusal(write, now, RejectKind.EXIT_BUDGET, text)
        return None

    def _holder(self, broker_order_id: str, asker: str) -> str:
        """Hash of the strategy that an order belongs to, empty for nobody's. An order that no row has shown yet is
        the asker's, because what protects must not wait for a read."""
        row = self.orders.row(broker_order_id)
        tag = parse_tag(row.tag) if row is not None else None
        if tag is not None:
            return tag.strategy_hash
        return self._placed.get(broker_order_id, asker if row is None else "")

    def _is_connected(self, hash8: str) -> bool:
        owner = self.owners.of_hash(hash8)
        return owner is not None and owner.connection is not None

    def _taken(self, owner: Owner) -> bool:
        """Whether another strategy has an order, a position or a call on the same symbol and product: one owner a
        symbol, so that nothing nets, trades with itself, or is guessed."""
        claims = owner.claims
        if self.orders.live_hashes((claims.exchange, claims.symbol, claims.product)) - {owner.hash8}:
            return True
        busy = {call.connection for call in self._in_flight.values()} | {one.connection for one in self._queue}
        others = (self.owners.of_connection(connection) for connection in busy)
        return any(
            other is not None
            and other is not owner
            and (other.claims.exchange, other.claims.symbol, other.claims.product)
            == (claims.exchange, claims.symbol, claims.product)
            for other in others
        )

    def _send(self, queued: _Queued, now: int) -> Send:
        owner = self.owners.of_connection(queued.connection)
        assert owner is not None, "a cut connection's queue is dropped"
        call = next(self._calls)
        held = 1 if _class_of(queued.write) is OrderClass.ENTRY else 0
        self._limiter.take(now, _kind(queued.write), held_for_stop=held)
        note_send(owner, queued.write, now)
        claims = owner.claims
        self._in_flight[call] = _InFlight(
            queued.connection,
            owner.strategy,
            claims.exchange,
            claims.symbol,
            _PRODUCTS[claims.product],
            queued.write,
        )
        return Send(call, queued.write)

    def _free_at(self, write: Write, now: int) -> int:
        """When the windows let this write go; an entry needs a second place, for its stop."""
        order_class = _class_of(write)
        places = 2 if order_class is OrderClass.ENTRY else 1
        return self._limiter.free_at(now, _kind(write), exits=order_class in EXIT_CLASSES, places=places)

    def _drop_queued(self, connection: int, now: int, reason: str, *, answer: bool) -> list[Effect]:
        dropped = [queued for queued in self._queue if queued.connection == connection]
        self._queue = [queued for queued in self._queue if queued.connection != connection]
        for queued in dropped:
            self._forget(queued.write)
        if not answer:
            return []
        return [Reply(connection, wire.NotSent(now=now, req=queued.write.req, reason=reason)) for queued in dropped]

    def _forget(self, write: Write) -> None:
        """A place that never left does not use up its tag."""
        if isinstance(write, wire.Place):
            self._forwarded.discard(write.tag.lower())


def _refusal(write: Write, now: int, kind: RejectKind, message: str) -> wire.Rejected:
    return wire.Rejected(now=now, req=write.req, kind=kind, message=message)


def _class_of(write: Write) -> OrderClass:
    """The class that counts: what opens or changes an entry is an entry whatever it calls itself. A cancel of one is
    an exit's peer, because it makes the position smaller at worst."""
    tag = parse_tag(write.tag)
    if tag is None or tag.leg is not Leg.ENTRY:
        return write.order_class
    if isinstance(write, wire.Cancel):
        return OrderClass.EXIT if write.order_class is OrderClass.ENTRY else write.order_class
    return OrderClass.ENTRY


def _kind(write: Write) -> Kind:
    if isinstance(write, wire.Place):
        return Kind.PLACE
    return Kind.MODIFY if isinstance(write, wire.Modify) else Kind.CANCEL
