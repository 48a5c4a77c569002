"""A world: one exchange, one session, one clock, and the accounts that trade in it. In memory, bounded, deletable."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from functools import partial
from heapq import heappop, heappush
from typing import Final

import msgspec
from algo_crds.contracts.clock import instant, parse_time
from algo_crds.contracts.money import parse_price
from algo_crds.contracts.orders import FINAL
from algo_market.instruments import instrument_on
from algo_market.readers import Recording
from algo_market.sessions import class_of, session_for, square_off
from algo_market.synthetic import synthetic_session

from algo_simulator.accounts import Account, AccountSpec
from algo_simulator.exchange import Exchange
from algo_simulator.market import NEVER, Market
from algo_simulator.orders import AccountOrder
from algo_simulator.triggers import Triggers

LOG: Final = logging.getLogger(__name__)
RUN_ON_MS: Final = 600_000
"""How long a world goes on after the last match, so that participants can read the books and end their day."""
LEAD_MS: Final = 60_000
"""How long before the session a world begins."""


class WorldSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the control API says of a world."""

    name: str
    date: date
    symbols: tuple[str, ...]
    """`EXCHANGE:SYMBOL`; without an exchange NSE is meant."""
    speed: float = 1.0
    """Session seconds in a second of wall time, at most; 0: as fast as the participants allow."""
    seed: int = 1
    accounts: tuple[AccountSpec, ...] = ()
    registered_addresses: tuple[str, ...] = ()
    previous_closes: dict[str, str] = {}
    """Rupees by `EXCHANGE:SYMBOL`; otherwise the first price in session."""
    start_time: str = ""
    """`HH:MM:SS`; default: a minute before the session."""
    end_time: str = ""
    """`HH:MM:SS`; default: ten minutes after the last match, or the last event if that is later."""
    participants: int = 0
    """How many must have joined before a started world moves."""
    barrier_timeout_ms: int = 30_000
    """Wall time after which a silent participant is left behind."""
    wait_for_lost: bool = True
    """Whether a participant whose connection broke is waited for as a silent one is; otherwise the world goes on."""
    liquidity: int = 0
    square_off: bool = True
    """Whether brokers square intraday positions off."""


class WorldError(ValueError):
    """A world cannot be made, or not in this state; the message says what to change."""


class World:
    """The state of a world; `clock.py` moves it."""

    def __init__(self, spec: WorldSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.speed = spec.speed
        self.state = "paused"
        self.liquidity = spec.liquidity
        self.recordings: dict[str, Recording] = {}
        self.previous_closes: dict[str, int] = {}
        self.markets: dict[str, Market] = {}
        self.accounts: dict[str, Account] = {}
        self.exchange = Exchange(self.markets, self.accounts)
        self.triggers = Triggers(self.markets, self.accounts, self.exchange)
        self.exchange.after_trade.append(self.triggers.trade)
        self.activity = 0
        """Answers and frames that left since the last beat."""
        self.changed = asyncio.Event()
        """Set whenever something happened that the clock may wait for."""
        self.lockstep = False
        """Whether rounds with participants are running: then the exchange acts at the start of a round."""
        self._queue: list[Callable[[], None]] = []
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._timer_numbers = 0
        self._squared_off: set[str] = set()
        """Brokers whose square-off is in the timetable."""
        self._held: list[Callable[[], None]] = []
        self._ripe: list[Callable[[], None]] = []
        self.begun = False
        """Whether the world was ever started; from then on its record is fixed."""
        self.now = self._begin()

    def _begin(self) -> int:
        opens = []
        for key in self.symbols():
            exchange, _, symbol = key.partition(":")
            instrument = instrument_on(exchange, symbol, self.spec.date)
            session = session_for(exchange, class_of(instrument), self.spec.date)
            if session is None:
                raise WorldError(f"{self.spec.date} is no trading day of {key}; choose another date")
            opens.append(session.open)
        if self.spec.start_time:
            return instant(self.spec.date, parse_time(self.spec.start_time))
        return min(opens) - LEAD_MS

    def symbols(self) -> list[str]:
        """`EXCHANGE:SYMBOL` of every symbol."""
        return [symbol if ":" in symbol else f"NSE:{symbol}" for symbol in self.spec.symbols]

    def prepare(self) -> None:
        """Build the markets that are not built yet: from what was uploaded, otherwise from the seed."""
        for key in self.symbols():
            if key in self.markets:
                continue
            exchange, _, symbol = key.partition(":")
            instrument = instrument_on(exchange, symbol, self.spec.date)
            session = session_for(exchange, class_of(instrument), self.spec.date)
            assert session is not None
            recording = self.recordings.get(key) or synthetic_session(
                symbol,
                self.spec.date,
                self.spec.seed,
                opens=session.open,
                closes=session.last_new_order,
                tick_size=instrument.tick_size,
            )
            self.markets[key] = Market(instrument, session, recording, self.previous_closes.get(key, 0), self.liquidity)

    def upload(self, key: str, recording: Recording) -> None:
        """Use a record for a symbol, in place of the seed's or an earlier one. Only before the world has begun."""
        self.recordings[key] = recording
        self.markets.pop(key, None)

    def begin(self) -> None:
        """Fix the record and the day's timetable; later calls do nothing."""
        if self.begun:
            return
        self.prepare()
        self.begun = True
        if not self.spec.start_time:
            self.now = min([self.now, *(market.first_event - 1000 for market in self.markets.values())])
        for broker in sorted({account.spec.broker for account in self.accounts.values()}):
            self._schedule_square_off(broker)
        for market in self.markets.values():
            self._schedule_ends(market)

    def _schedule_ends(self, market: Market) -> None:
        self.at(market.session.end_of_stops, lambda: self.exchange.end_stops(market, self.now))
        self.at(market.session.last_match, lambda: self.exchange.end_session(market, self.now))

    def _schedule_square_off(self, broker: str) -> None:
        if not self.spec.square_off or broker in self._squared_off:
            return
        self._squared_off.add(broker)
        for market in self.markets.values():
            at = square_off(broker, class_of(market.instrument), market.session)
            if self.now < at < market.session.last_new_order:
                self.at(at, partial(self._square_off, broker, market))

    def _square_off(self, broker: str, market: Market) -> None:
        for account in self.accounts.values():
            if account.spec.broker == broker:
                self.exchange.square_off(account, market, self.now)

    def add_account(self, spec: AccountSpec) -> Account:
        """Add an account; its addresses default to the world's.

        Raises:
            WorldError: the world has one of that client id, or a holding cannot be.
        """
        if spec.client_id in self.accounts:
            raise WorldError(f"world {self.name} already has an account {spec.client_id}")
        for holding in spec.holdings:
            if holding.key not in self.symbols():
                raise WorldError(f"account {spec.client_id} holds {holding.key}, which is no symbol of the world")
            if holding.quantity < 0 or holding.t1_quantity < 0 or int(parse_price(holding.average_price)) <= 0:
                raise WorldError(f"account {spec.client_id}: a holding needs quantities and an average price")
        if not spec.registered_addresses:
            spec = msgspec.structs.replace(spec, registered_addresses=self.spec.registered_addresses)
        account = Account(spec, self.name)
        self.accounts[spec.client_id] = account
        if self.begun:
            self._schedule_square_off(spec.broker)
        return account

    def at(self, when: int, action: Callable[[], None]) -> None:
        """Call the action once the clock has reached `when`; in order of time, then of asking."""
        self._timer_numbers += 1
        heappush(self._timers, (when, self._timer_numbers, action))

    def run_timers(self) -> None:
        """Call what is due."""
        while self._timers and self._timers[0][0] <= self.now:
            heappop(self._timers)[2]()

    def next_timer(self) -> int:
        """When the next timer is due."""
        return self._timers[0][0] if self._timers else NEVER

    def defer(self, action: Callable[[], None]) -> None:
        """Let the exchange act: at the start of the next round in lockstep (so that the answer to a call is always
        earlier than what it causes, on any machine), at once otherwise."""
        if self.lockstep:
            self._queue.append(action)
            self.touch()
        else:
            action()

    def submit(self, order: AccountOrder) -> None:
        """Send a stored order on its way; of an immediate-or-cancel one what is not filled at once is cancelled."""

        def sent() -> None:
            self.exchange.submit(order, self.now)
            if order.validity == "IOC" and order.sim.status not in FINAL:
                self.exchange.cancel(order, self.now)

        self.defer(sent)

    def flush(self) -> None:
        """Do what was deferred."""
        while self._queue:
            queue, self._queue = self._queue, []
            for action in queue:
                action()

    def touch(self) -> None:
        """An answer or frame left: the round is not over."""
        self.activity += 1
        self.changed.set()

    async def hold(self, account: Account, duration_ms: int) -> None:
        """Hold a call back for session time. Where the clock stands still nothing is held."""
        if duration_ms <= 0 or self.state != "running":
            return
        released = asyncio.Event()
        account.held_calls += 1
        account.open_calls -= 1

        def release() -> None:
            if not released.is_set():
                released.set()
                account.held_calls -= 1
                account.open_calls += 1

        self._held.append(release)
        self.changed.set()
        self.at(self.now + duration_ms, lambda: self._ripe.append(release))
        try:
            await released.wait()
        finally:
            release()
            self._held.remove(release)

    def release_ripe(self) -> bool:
        """Let calls go on whose time has come; whether there were any.

        The clock does so after a beat at that instant is answered: a client then knows the time of the answer.
        """
        ripe, self._ripe = self._ripe, []
        for release in ripe:
            release()
        return bool(ripe)

    def release_all(self) -> None:
        """Let every held call go on: the clock will not move any more."""
        for release in list(self._held):
            release()

    def set_liquidity(self, shares: int) -> None:
        """What each recorded trade offers to our orders from the next one on; 0: unlimited."""
        self.liquidity = shares
        for market in self.markets.values():
            market.book.liquidity = shares

    def end_at(self) -> int:
        """When the world ends, unless events come later still and no end was asked for."""
        if self.spec.end_time:
            return instant(self.spec.date, parse_time(self.spec.end_time))
        return max(market.session.last_match for market in self.markets.values()) + RUN_ON_MS
