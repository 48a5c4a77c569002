"""The account: one object that owns the door and everything that hangs on it. Messages of runners, rows and prices come
in; what the door decides goes out.

In a replayed market whatever the feed brings is held back until the beat that covers it (`replay.py`), so that a runner
sees each market step whole and in order, with that step's time as `now`.
"""

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec
from algo_brokers.breaker import Breaker
from algo_brokers.errors import BrokerError
from algo_brokers.port import Broker, ReadQuotes
from algo_brokers.records import FeedTick
from algo_crds.contracts import wire
from algo_crds.contracts.orders import OrderRow, PositionRow, Product, RejectKind
from algo_crds.contracts.tokens import RunnerClaims
from algo_market.sessions import SessionUnknownError

from algo_gateway.books import ReadResult, SharedReader
from algo_gateway.calls import Outcome, perform
from algo_gateway.clock import SessionClock, monotonic_ms
from algo_gateway.connected import Runner
from algo_gateway.crash_points import AFTER_ROW, CrashPoint
from algo_gateway.door.door import Door
from algo_gateway.door.effects import Cut, Effect, Notice, Reply, Send, Write
from algo_gateway.eager import Tasks
from algo_gateway.facts import is_news, last_send
from algo_gateway.notices import say
from algo_gateway.order_check import order_refusal
from algo_gateway.pacing import ReadPacer
from algo_gateway.publish import Publisher
from algo_gateway.quotes import QuoteReader
from algo_gateway.rounds import RunnerIdle
from algo_gateway.symbols import SymbolKey, Symbols

log: Final = logging.getLogger("algo_gateway.hub")
_RETRY_S: Final = 1.0
_WRITES: Final = (wire.Place, wire.Modify, wire.Cancel)
_CLOCK_S: Final = 0.02


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub is made of; wired in `bootstrap.py`."""

    account_id: str
    source_id: str
    simulated: bool
    algo_id: str = ""
    broker: Broker
    read_quotes: ReadQuotes
    """The broker's, before anything makes it wait."""
    door: Door
    clock: SessionClock
    symbols: Symbols
    publisher: Publisher
    pacer: ReadPacer
    crash: CrashPoint
    cut: Callable[[int], None]
    health: Callable[[], wire.BrokerHealth]
    subscribe: Callable[[list[int]], None]
    address_refused: Callable[[], None]


class Hub:
    """The account's hub; implements `runners.Hub`. Everything runs on one event loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._runners: dict[int, Runner] = {}
        self._listeners: dict[SymbolKey, list[Runner]] = {}
        self._tasks = Tasks(log)
        self._pump_at: asyncio.TimerHandle | None = None
        self._copy = parts.publisher.prices.tick
        self.breaker = Breaker()
        self.round_changed: Callable[[], None] = lambda: None
        self.runner_armed: Callable[[str], None] = lambda _strategy: None
        self.runner_lost: Callable[[str], None] = lambda _strategy: None
        self.runner_idle: Callable[[str, RunnerIdle], None] = lambda _strategy, _idle: None
        broker = parts.broker
        self.books: SharedReader[OrderRow] = SharedReader(
            lambda begun_at: broker.read_book(begun_at=begun_at),
            parts.clock.now,
            self._round_changed,
            lambda: parts.pacer.admit("book"),
            parts.pacer.stands_still,
        )
        self.positions: SharedReader[PositionRow] = SharedReader(
            lambda _begun_at: broker.read_positions(),
            parts.clock.now,
            self._round_changed,
            lambda: parts.pacer.admit("positions"),
            parts.pacer.stands_still,
        )
        self.quotes = QuoteReader(
            read=parts.read_quotes,
            ref_of=parts.symbols.ref_of,
            admit=lambda: parts.pacer.admit("quote"),
            now=parts.clock.now,
            source=parts.source_id,
            tell=self._polled,
            changed=self._round_changed,
            tasks=self._tasks,
        )
        self._facts_trouble = ""
        self._taken: ReadResult[OrderRow] | None = None
        self.own_calls = 0
        """Work that a replayed market waits for beside calls: facts read anew, what is kept of the account."""
        self.book_seen = False

    # Runners

    def connected(self, connection: int, claims: RunnerClaims, send: Callable[[bytes], None]) -> None:
        """A runner with a valid token connected."""
        runner = Runner(connection=connection, claims=claims, key=(claims.exchange, claims.symbol), send=send)
        self._runners[connection] = runner
        owns, effects = self._parts.door.connect(connection, claims, self._parts.clock.now())
        self.apply(effects)
        if owns:
            self._tasks.start(self._welcome(runner))

    def disconnected(self, connection: int) -> None:
        """A runner's connection is gone."""
        runner = self._runners.pop(connection, None)
        if runner is None:
            return
        listeners = self._listeners.get(runner.key, [])
        if runner in listeners:
            listeners.remove(runner)
        owned = self._parts.door.owners.of_connection(connection) is not None
        self.apply(self._parts.door.disconnect(connection, self._parts.clock.now()))
        if owned:
            self.runner_lost(runner.claims.sub)

    def received(self, connection: int, message: wire.ToGateway) -> None:
        """A runner said something."""
        runner = self._runners.get(connection)
        if runner is None:
            return
        if isinstance(message, _WRITES):
            self.apply(self._written(runner, message))
        elif isinstance(message, wire.Idle):
            self.runner_idle(runner.claims.sub, RunnerIdle(message.seq, message.in_flight, message.wake_at))
        elif isinstance(message, wire.ReadBook):
            self.books.ask(lambda result: self._send_book(runner, message.req, result))
        elif isinstance(message, wire.ReadPositions):
            self.positions.ask(lambda result: self._send_positions(runner, message.req, result))
        elif isinstance(message, wire.ReadQuote):
            self.quotes.ask(runner.key)
        else:
            self.runner_armed(runner.claims.sub)

    def _written(self, runner: Runner, write: Write) -> list[Effect]:
        now, told = self._parts.clock.now(), runner.told
        if told is not None and not isinstance(write, wire.Cancel):
            refused = order_refusal(write, told.instrument, now)
            if refused is not None:
                return [Reply(runner.connection, refused)]
        return self._parts.door.write(runner.connection, write, now)

    async def _welcome(self, runner: Runner) -> None:
        """Tell a new owner all it must know; tried again until the broker can say what the instrument is."""
        parts = self._parts
        while runner.connection in self._runners and not runner.welcomed:
            if not parts.clock.now():  # a replayed market has not told its time yet
                await asyncio.sleep(_CLOCK_S)
                continue
            if not self.book_seen:
                self.books.ask(self.take_book)
            try:
                now = parts.clock.now()
                facts = await parts.symbols.day_of(runner.key, Product(runner.claims.product), now)
            except (BrokerError, SessionUnknownError) as error:
                log.warning("no welcome for %s yet: %s", runner.claims.sub, error)
                await asyncio.sleep(_RETRY_S)
                continue
            except Exception:  # a runner without a welcome guards nothing: what failed once may work the next time
                log.exception("no welcome for %s yet", runner.claims.sub)
                await asyncio.sleep(_RETRY_S)
                continue
            gc.freeze()  # the broker's list of the day is large, and no collection may search it while orders wait
            owner = parts.door.owners.of_connection(runner.connection)
            if owner is None:
                return
            runner.welcomed, runner.told = True, facts
            self._listeners.setdefault(runner.key, []).append(runner)
            welcome = wire.Welcome(
                now=parts.clock.now(),
                epoch=owner.epoch,
                account=parts.account_id,
                source=parts.source_id,
                own_clock=parts.clock.own,
                simulated=parts.simulated,
                instrument=facts.instrument,
                session=facts.session,
                capability=parts.broker.capability,
                in_flight=parts.door.in_flight_tags(owner.strategy),
                last_send=last_send(owner.last_send, parts.clock.started_at, facts.session),
                last_tag=owner.last_tag,
                broker=parts.health(),
            )
            runner.send(wire.encode(welcome))
            parts.subscribe(parts.symbols.tokens())

    # The door's effects

    def apply(self, effects: list[Effect]) -> None:
        """Carry out what the door decided, in order."""
        for effect in effects:
            if isinstance(effect, Send):
                self._tasks.start_now(self._perform(effect))
            elif isinstance(effect, Reply):
                self.tell(effect.connection, effect.message)
            elif isinstance(effect, Cut):
                self._parts.cut(effect.connection)
            elif isinstance(effect, Notice):
                say(effect, self._parts.publisher, self._parts.clock.now())
        self._plan_pump()

    async def _perform(self, send: Send) -> None:
        parts = self._parts
        exchange, symbol, product = parts.door.traded_by(send.call)
        outcome = await perform(
            parts.broker,
            send.write,
            instrument=parts.symbols.ref_of((exchange, symbol)),
            product=product,
            algo_id=parts.algo_id,
            now=parts.clock.now,
            crash=parts.crash,
        )
        self._judge(outcome)
        self.apply(parts.door.outcome(send.call, outcome))
        self._round_changed()

    def _judge(self, outcome: Outcome) -> None:
        now = monotonic_ms()
        if isinstance(outcome, wire.Rejected) and outcome.kind is RejectKind.ADDRESS:
            self._parts.address_refused()
        before = self.breaker.state(now)
        if isinstance(outcome, wire.Unknown) or (isinstance(outcome, wire.Rejected) and outcome.kind == "BrokerDown"):
            self.breaker.failed(now)
        else:
            self.breaker.succeeded(now)
        if self.breaker.state(now) is not before:
            self.health_changed()

    def _plan_pump(self) -> None:
        """With a wall clock a timer sends what waits for the windows; in a replay the beats do."""
        if self._parts.clock.own:
            return
        now = self._parts.clock.now()
        at = self._parts.door.next_pump(now)
        if self._pump_at is not None:
            self._pump_at.cancel()
            self._pump_at = None
        if at is not None:
            delay = max(0.0, (at - now) / 1000) + 0.001
            self._pump_at = asyncio.get_running_loop().call_later(delay, self.pump)

    def pump(self) -> None:
        """Let the door send what may go now."""
        self.apply(self._parts.door.pump(self._parts.clock.now()))

    # What comes from the broker

    def ticks(self, ticks: list[FeedTick]) -> None:
        """Prices of the feed, at once to whoever trades the symbol."""
        parts, now = self._parts, self._parts.clock.now()
        followed = parts.symbols.by_token
        for tick in ticks:
            market = followed.get(tick.token)
            if market is None:
                continue
            listeners = self._listeners.get(market.key)
            if listeners:
                payload = wire.encode(
                    wire.Tick(now=now, price=tick.price, time=tick.time, volume=tick.volume, source=parts.source_id)
                )
                for runner in listeners:
                    runner.send(payload)
            market.last_tick_at, market.last_price, market.polling = now, tick.price, False
            self._copy(market.key, tick.price, tick.time, tick.volume)

    def row(self, row: OrderRow) -> None:
        """An order row of the account's socket: to the door, and numbered to whoever trades the symbol."""
        self.apply(self._parts.door.row(row))
        for runner in self._listeners.get((row.exchange, row.symbol), ()):
            runner.row_seq += 1
            runner.send(wire.encode(wire.Row(now=self._parts.clock.now(), seq=runner.row_seq, row=row)))
        self._parts.crash(AFTER_ROW)

    def take_book(self, result: ReadResult[OrderRow]) -> None:
        """The door learns every tag of the account; the first book also fills its windows."""
        if result.unavailable or result is self._taken:  # one read answers many: its rows are taken once
            return
        self._taken = result
        now = self._parts.clock.now()
        self.apply(self._parts.door.book(result.rows, now, restore=not self.book_seen))
        self.book_seen = True

    def read_for_all(self) -> None:
        """One read of the book for the door and every runner."""
        self.books.ask(self._share_book)

    def _share_book(self, result: ReadResult[OrderRow]) -> None:
        self.take_book(result)
        for runner in self._runners.values():
            if runner.welcomed:
                self._send_book(runner, 0, result)

    def _send_book(self, runner: Runner, req: int, result: ReadResult[OrderRow]) -> None:
        self.take_book(result)
        rows = tuple(row for row in result.rows if (row.exchange, row.symbol) == runner.key)
        now = self._parts.clock.now()
        book = wire.Book(now=now, req=req, begun_at=result.begun_at, rows=rows, unavailable=result.unavailable)
        runner.send(wire.encode(book))

    def _send_positions(self, runner: Runner, req: int, result: ReadResult[PositionRow]) -> None:
        rows = tuple(row for row in result.rows if (row.exchange, row.symbol) == runner.key)
        now, begun_at = self._parts.clock.now(), result.begun_at
        told = wire.Positions(now=now, req=req, begun_at=begun_at, rows=rows, unavailable=result.unavailable)
        runner.send(wire.encode(told))

    def _polled(self, key: SymbolKey, tick: wire.Tick) -> None:
        for runner in self._listeners.get(key, ()):
            runner.send(wire.encode(tick))

    def meanwhile(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done that a replayed market waits for."""
        self.own_calls += 1

        async def done() -> None:
            try:
                await work
            finally:
                self.own_calls -= 1
                self._round_changed()

        self._tasks.start(done())

    def read_facts(self, done: Callable[[int], None]) -> None:
        """Read the day's facts of every symbol anew and tell the runners what changed; `done` takes the instant at
        which a reading that succeeded began."""
        self.meanwhile(self._read_facts(done))

    async def _read_facts(self, done: Callable[[int], None]) -> None:
        parts, now = self._parts, self._parts.clock.now()
        runners = [runner for runner in self._runners.values() if runner.welcomed]
        try:
            found = await parts.symbols.days_of({(one.key, Product(one.claims.product)) for one in runners}, now)
            done(now)
            self._facts_trouble = ""
            for runner in runners:
                facts = found.get((runner.key, Product(runner.claims.product)))
                if facts is not None and is_news(runner.told, facts):
                    runner.told = facts
                    changed = wire.SessionChanged(now=now, instrument=facts.instrument, session=facts.session)
                    self.tell(runner.connection, changed)
            parts.subscribe(parts.symbols.tokens())
        except (BrokerError, SessionUnknownError) as error:
            if str(error) != self._facts_trouble:  # asked again at every beat of a replay: said once
                self._facts_trouble = str(error)
                log.warning("the day's facts are not known yet: %s", error)

    def now(self) -> int:
        """Session time."""
        return self._parts.clock.now()

    # Telling runners

    def tell(self, connection: int, message: wire.ToRunner) -> None:
        """One message to one runner."""
        runner = self._runners.get(connection)
        if runner is not None:
            runner.send(wire.encode(message))

    def tell_all(self, message: wire.ToRunner) -> None:
        """One message to every runner that has been welcomed."""
        payload = wire.encode(message)
        for runner in self._runners.values():
            if runner.welcomed:
                runner.send(payload)

    def health_changed(self) -> None:
        """Session, breaker or halt changed: the door's gate and every runner learn it."""
        state = self.breaker.state(monotonic_ms())
        self._parts.door.gate = msgspec.structs.replace(self._parts.door.gate, breaker=state)
        self.tell_all(self._parts.health())

    def listened(self) -> list[SymbolKey]:
        """Symbols that a connected runner trades."""
        return [key for key, listeners in self._listeners.items() if listeners]

    def _round_changed(self) -> None:
        self.round_changed()
