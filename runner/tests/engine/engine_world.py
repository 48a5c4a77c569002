"""A broker, a market and a door in memory, adversarial but fair, and a harness that runs the engine against them.

The harness checks the invariants after every step, against the engine's beliefs and against the broker's truth. Faults
are asked for one call at a time (`Rig.script`) or set as standing conditions; everything is deterministic.
"""

import copy
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from algo_crds.contracts import wire
from algo_crds.contracts.orders import (
    Leg,
    OrderStatus,
    OrderType,
    Side,
)
from algo_crds.contracts.runtime import RuntimeSpec, StrategyView
from algo_runner.engine import invariants, view
from algo_runner.engine.actions import Action, Alert, Intent, Journal, SetCondition, SetPhase, WakeAt
from algo_runner.engine.events import CLOCK, Command, CommandKind, Disconnected, Event, JournalHealth, SpecChanged
from algo_runner.engine.orders import held
from algo_runner.engine.state import State, initial, replay, restore, snapshot
from algo_runner.engine.step import step
from engine_broker import Deal, Exchange
from engine_kinds import kinds_of
from engine_setup import MIDNIGHT, at, make_spec
from msgspec.structs import replace


@dataclass
class Rig(Exchange):
    """The engine in its world."""

    spec: RuntimeSpec = field(default_factory=make_spec)
    check: bool = True
    own_clock: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.state: State = initial(self.spec)
        self.epoch = 100
        self.wake = 0
        self.journal: list[Any] = []
        self.actions: list[Action] = []
        self.log: list[tuple[int, Action]] = []
        self.expect_oversell = False
        self.met: set[str] = set()
        """Kinds of event that came, for `engine_kinds`."""

    # The engine

    def feed(self, event: Event) -> None:
        """One step, with every check, and its actions done."""
        before = self.state
        self.state, actions = step(before, event, self.now)
        for action in actions:
            assert not (isinstance(action, Alert) and action.code == "EngineFault"), action.message
        self.met.update(kinds_of(event, before, self.state))
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
                    self.write(action)
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

    def close(self) -> None:
        """The exchange's end of the day: what rests is cancelled."""
        for deal in self.deals:
            if deal.live:
                deal.status = OrderStatus.CANCELLED
                self.tell(deal)
        self.settle()

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
                in_flight=tuple(sorted(tag for tag, until in self.in_flight.items() if until > self.now)),
                last_send=self.last_send,
                last_tag=self.last_tag,
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

    def restart_from(self, data: bytes, journal_length: int | None) -> None:
        """The process comes back with an older snapshot; of the sells since then the journal may know nothing."""
        self.connected = False
        self.heap = []
        self.wake = 0
        restored = restore(data)
        assert restored is not None
        self.state = restored
        for index, entry in enumerate(self.journal):
            if journal_length is None or index < journal_length or getattr(entry, "leg", None) is Leg.ENTRY:
                replay(self.state, entry)
        self.connect()
        self.feed(JournalHealth(writable=True))
        self.feed(SpecChanged(spec=self.spec))
        self.settle()

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

    def command_start(self) -> None:
        self.command(CommandKind.START)

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


def with_unknown_stop(outcome: str, **changes: object) -> Rig:
    """The stop's outcome is not seen; rows of the socket are lost, so only the book can tell."""
    rig = started(now=at("09:19:50"), **changes)
    rig.script["place"].extend(["accept", outcome])
    rig.until("09:20:00")
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
    return bool(msgspec.json.decode(snapshot(one)) == msgspec.json.decode(snapshot(other)))


def restore_twin(rig: Rig) -> Rig:
    """A second rig in an equal, independent state."""
    return copy.deepcopy(rig)
