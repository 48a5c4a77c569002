"""The market clock of a world: steps in lockstep with the participants, as `contracts/world.py` says.

One round: the exchange acts on what it was told, every participant gets a beat, and answers when it has handled all of
it. Rounds repeat at the same instant until nothing is under way; only then does time move. The outcome therefore
depends on the record and the participants' decisions, never on the speed of a machine.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from algo_crds.contracts.world import Beat, Idle, StreamCount, WorldState, WorldTick
from algo_market.row_parsers import Trade

from algo_simulator.accounts import MARKET_STREAM, Account, Stream
from algo_simulator.market import NEVER, Market
from algo_simulator.world import World

LOG: Final = logging.getLogger(__name__)
STEP_MS: Final = 1_000
_NOTHING: Final = Stream(connection=0)

Message = Beat | WorldState | WorldTick


class FeedSink(Protocol):
    """A broker front end that sends ticks to its own market sockets."""

    def __call__(self, market: Market, rows: list[Trade]) -> None: ...


class Participant:
    """Somebody whom the market waits for."""

    def __init__(
        self, name: str, account: Account | None, symbols: frozenset[str], send: Callable[[Message], None]
    ) -> None:
        self.name = name
        self.account = account
        self.symbols = symbols
        self.send = send
        self.seq = 0
        """Newest round that it has answered."""
        self.in_flight = 0
        self.wake_at: int | None = None
        self.heard_at = 0.0
        self.behind = False
        self.connected = True


class Clock:
    """Moves one world; `WallTime` is an argument so that tests need not wait."""

    def __init__(
        self,
        world: World,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], "asyncio.Future[None] | object"] = asyncio.sleep,
    ) -> None:
        self.world = world
        self.participants: dict[str, Participant] = {}
        self.feeds: list[FeedSink] = []
        self.seq = 0
        self.barrier_timeouts = 0
        self._monotonic = monotonic
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None
        self._due = 0.0
        self._session_ms = 0
        self._wall_s = 0.0

    def start(self) -> None:
        """Let the world run (again)."""
        world = self.world
        world.begin()
        if world.state == "ended":
            return
        if world.state != "running":
            world.state = "running"
            self._tell_state()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"clock {world.name}")

    async def pause(self) -> None:
        """Let the world stand still after the round under way."""
        if self.world.state == "running":
            self.world.state = "paused"
            self.world.lockstep = False
            self.world.flush()
            self._tell_state()
        await self._stop()

    async def close(self) -> None:
        """End the world for good."""
        self.world.state = "ended"
        self.world.lockstep = False
        self.world.release_all()
        self._tell_state()
        await self._stop()

    async def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def speed_reached(self) -> float:
        """Session seconds a wall second over the whole run; 0 before it moved."""
        return round(self._session_ms / 1000 / self._wall_s, 2) if self._wall_s > 0 else 0.0

    def limit_clock(self) -> int:
        """The clock that rate limits count by: the world's while it runs, otherwise the process's (ms)."""
        return self.world.now if self.world.state == "running" else int(self._monotonic() * 1000)

    def join(self, participant: Participant) -> None:
        """Take a participant in; an earlier one of the same name is replaced."""
        participant.heard_at = self._monotonic()
        self.participants[participant.name] = participant
        if self.world.state == "running" and self.seq:
            participant.send(self._beat(participant))
        self.world.changed.set()

    def leave(self, participant: Participant, *, goodbye: bool) -> None:
        """A participant's connection is gone; one that did not say goodbye is waited for until the barrier's time."""
        if self.participants.get(participant.name) is participant:
            participant.connected = False
            if goodbye or not self.world.spec.wait_for_lost or self.world.state == "ended":
                del self.participants[participant.name]
        self.world.changed.set()

    def idle(self, participant: Participant, message: Idle) -> None:
        """A participant answered a round, or its calls in flight changed."""
        participant.heard_at = self._monotonic()
        participant.behind = False
        if message.seq >= participant.seq:
            participant.seq, participant.in_flight = message.seq, message.in_flight
            participant.wake_at = message.wake_at
        self.world.changed.set()

    def _tell_state(self) -> None:
        for participant in self.participants.values():
            if participant.connected:
                participant.send(WorldState(now=self.world.now, state=self.world.state))

    async def _run(self) -> None:
        world = self.world
        self._due = self._monotonic()
        try:
            while world.state == "running":
                await self._enough_participants()
                begun = self._monotonic()
                await self._settle()
                if world.state != "running":
                    return
                after = self._next_time()
                if after == NEVER:
                    self._end()
                    return
                await self._pace(after - world.now)
                self._session_ms += after - world.now
                self._advance(after)
                self._wall_s += self._monotonic() - begun
        except asyncio.CancelledError:
            raise
        except Exception:
            LOG.exception("world %s stopped at %s by an error", world.name, world.now)
            self._end()

    def _end(self) -> None:
        self.world.state = "ended"
        self.world.lockstep = False
        self.world.flush()
        self.world.release_all()
        self._tell_state()

    async def _enough_participants(self) -> None:
        while len(self.participants) < self.world.spec.participants:
            self.world.changed.clear()
            await self.world.changed.wait()

    async def _settle(self) -> None:
        """Rounds at the same instant, until every participant is idle and nothing has left us since the beat."""
        world = self.world
        while world.state == "running":
            world.lockstep = bool(self.participants)
            world.flush()
            world.activity = 0
            self.seq += 1
            for participant in self.participants.values():
                if participant.connected:
                    participant.send(self._beat(participant))
            await self._barrier()
            if world.release_ripe():
                continue
            if not world.activity:
                return
            if not self.participants:
                # Nobody counts rounds: let calls be served, and go on.
                await asyncio.sleep(0)
                return

    def _beat(self, participant: Participant) -> Beat:
        streams = participant.account.streams if participant.account is not None else {}
        market = streams.get(MARKET_STREAM, _NOTHING)
        others = tuple(
            StreamCount(name=name, connection=stream.connection, frames=stream.frames)
            for name, stream in streams.items()
            if name != MARKET_STREAM
        )
        return Beat(
            seq=self.seq,
            now=self.world.now,
            connection=market.connection,
            frames_sent=market.frames,
            streams=others,
        )

    async def _barrier(self) -> None:
        """Wait until all have answered, and are idle unless something happened that needs another round."""
        world, begun = self.world, self._monotonic()
        limit = world.spec.barrier_timeout_ms / 1000
        if not self.participants:
            await asyncio.sleep(0)
            return
        while world.state == "running":
            waiting = [p for p in self.participants.values() if not p.behind and not self._answered(p)]
            busy = [p for p in self.participants.values() if not p.behind and self._busy(p)]
            if not waiting and (not busy or world.activity):
                return
            world.changed.clear()
            left = begun + limit - self._monotonic()
            if left <= 0:
                self._leave_behind(waiting or busy)
                continue
            try:
                await asyncio.wait_for(world.changed.wait(), left)
            except TimeoutError:
                continue

    def _answered(self, participant: Participant) -> bool:
        return participant.connected and participant.seq >= self.seq

    def _busy(self, participant: Participant) -> bool:
        account = participant.account
        if account is None:
            return participant.in_flight > 0
        return account.open_calls > 0 or participant.in_flight > account.held_calls

    def _leave_behind(self, participants: list[Participant]) -> None:
        for participant in participants:
            self.barrier_timeouts += 1
            LOG.warning("world %s goes on without %s", self.world.name, participant.name)
            participant.behind = True
            if not participant.connected:
                self.participants.pop(participant.name, None)

    def _next_time(self) -> int:
        """The earliest of: next market event, wish, timer, one second later. Outside the session there are no empty
        seconds; `NEVER` when the world is over."""
        world = self.world
        event = min(market.next_event() for market in world.markets.values())
        wishes = [p.wake_at for p in self.participants.values() if p.wake_at is not None and p.wake_at > world.now]
        wanted = min([event, world.next_timer(), *wishes])
        if world.now >= world.end_at():
            return NEVER if event == NEVER or world.spec.end_time else max(wanted, world.now + 1)
        return max(min(wanted, world.now + STEP_MS), world.now + 1)

    async def _pace(self, session_ms: int) -> None:
        if self.world.speed <= 0:
            return
        now = self._monotonic()
        # A bound, not a target: time lost to slow participants is not made up for.
        self._due = max(self._due, now - session_ms / 1000 / self.world.speed) + session_ms / 1000 / self.world.speed
        if self._due > now:
            result = self._sleep(self._due - now)
            if asyncio.iscoroutine(result):
                await result

    def _advance(self, now: int) -> None:
        world = self.world
        world.now = now
        world.run_timers()
        for market in world.markets.values():
            for trade in market.due_trades(now):
                world.exchange.trade(market, trade.price, trade.time, now)
        for key, market in world.markets.items():
            rows = market.due_rows(now)
            if not rows:
                continue
            for feed in self.feeds:
                feed(market, rows)
            for participant in self.participants.values():
                if participant.account is None and participant.connected and key in participant.symbols:
                    for row in rows:
                        participant.send(_tick(now, market, row))


def _tick(now: int, market: Market, row: Trade) -> WorldTick:
    instrument = market.instrument
    return WorldTick(
        now=now,
        exchange=instrument.exchange,
        symbol=instrument.symbol,
        price=row.price,
        time=row.time,
        volume=row.volume,
    )
