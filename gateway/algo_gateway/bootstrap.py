"""Wires one gateway: the only place that knows every part."""

import asyncio
import dataclasses
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import msgspec
from aiohttp import web
from algo_brokers.adapter_parts import AdapterParts
from algo_brokers.breaker import BreakerState
from algo_brokers.http import HttpAnswer, HttpRequest, Transport
from algo_brokers.order_line import OrderLine, create_order_line
from algo_brokers.port import Broker
from algo_brokers.records import FeedTick
from algo_brokers.registry import UnknownBrokerError, adapter_of
from algo_brokers.transports import create_client, create_http_transport
from algo_crds.contracts import wire, world
from algo_crds.contracts.account_state import EgressState
from algo_crds.contracts.clock import session_date

from algo_gateway.admin import create_admin
from algo_gateway.clock import SessionClock, monotonic_ms
from algo_gateway.crash_points import AFTER_SEND, create_crash_points
from algo_gateway.door.door import Door
from algo_gateway.door.effects import Notice
from algo_gateway.egress import DIFFERS, Egress, egress_check
from algo_gateway.feed import FeedKeeper
from algo_gateway.front import serve
from algo_gateway.hub import Hub, Parts
from algo_gateway.live import Live
from algo_gateway.metrics import create_metrics
from algo_gateway.notices import say
from algo_gateway.pacing import ReadPacer, paced
from algo_gateway.paper_account import PaperAccount
from algo_gateway.publish import Publisher, connect
from algo_gateway.replay import Replay
from algo_gateway.runners import RunnerServer
from algo_gateway.session_file import SessionHolder
from algo_gateway.settings import Settings, SettingsError
from algo_gateway.symbols import Symbols
from algo_gateway.tokens import runner_claims
from algo_gateway.watchdog import Watchdog
from algo_gateway.watched import follow
from algo_gateway.world_clock import WorldClock

_REDIS_AGAIN_S: Final = 0.5


class Gateway:
    """One account's process; `run` lives until cancelled."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._paper: PaperAccount | None = None
        self._newest_beat = 0
        self._orders: OrderLine | None = None
        self._client = create_client()
        self._paper_kept = b""
        self.crash = create_crash_points(settings.crash_dir)
        self.clock = SessionClock(own=bool(settings.world_clock_url))
        self.session = SessionHolder(settings.session_file, self.clock.now)
        unpaced = self._broker()
        self.pacer = ReadPacer(unpaced.windows, self.clock)
        self.broker = paced(unpaced, self.pacer)
        self.door = Door(self.broker.windows)
        self.symbols = Symbols(self.broker)
        self.publisher = Publisher(
            connect(settings.redis_url, settings.redis_username, settings.redis_password_file),
            settings.account_id,
            settings.source_id,
        )
        self.egress = egress_check(
            settings.address_check_url,
            settings.egress_proxy,
            settings.registered_address,
            paper=settings.paper,
            changed=self._egress_changed,
        )
        self.hub = Hub(
            Parts(
                account_id=settings.account_id,
                source_id=settings.source_id,
                simulated=settings.paper or settings.environment == "Simulator",
                algo_id=settings.algo_id,
                broker=self.broker,
                read_quotes=unpaced.read_quotes,
                door=self.door,
                clock=self.clock,
                symbols=self.symbols,
                publisher=self.publisher,
                pacer=self.pacer,
                crash=self.crash,
                cut=lambda connection: self.server.cut(connection),
                health=self.health,
                subscribe=self._subscribe,
                address_refused=self.egress.soon,
            )
        )
        self.server = RunnerServer(
            self.hub,
            check=lambda token: runner_claims(token, settings.public_key_file, settings.account_id),
        )
        self.watchdog = Watchdog(self.hub, self.door, self.symbols)
        self._world = self._world_clock()
        self._replay = self._make_replay()
        self._feed = FeedKeeper(self.broker, self._replay or Live(self.hub))

    # Parts

    def _broker(self) -> Broker:
        settings = self._settings
        if settings.broker == "paper":
            self._paper = PaperAccount(
                now=self.clock.now,
                orders_per_window=settings.orders_per_window,
                keep=lambda snapshot: self.publisher.save(paper=snapshot.decode()),
                market_row=lambda row: self._replayed().row(row),
                call_row=lambda row: self._replayed().row_now(row),
            )
            return self._paper.broker
        try:
            adapter = adapter_of(settings.broker)
        except UnknownBrokerError as error:
            raise SettingsError(str(error)) from None
        simulated = settings.simulated_broker_url
        endpoints = adapter.simulated(simulated) if simulated else adapter.endpoints
        if settings.market_socket_url:
            endpoints = dataclasses.replace(endpoints, market_socket=settings.market_socket_url)
        self._orders = create_order_line(endpoints.rest, proxy=settings.egress_proxy)
        return adapter.create_broker(
            AdapterParts(
                transport=lambda base: create_http_transport(self._client, base_url=base),
                write=self._marked(self._orders.send),
                current=self.session.current,
                now=self.clock.now,
                endpoints=endpoints,
                orders_per_window=settings.orders_per_window,
                registered_address=settings.registered_address,
                session_over=self.session.refused,
            )
        )

    def _marked(self, send: Transport) -> Transport:
        """The order transport; only under test with a crash point between the bytes and the answer."""
        if self._settings.crash_dir is None:
            return send

        async def marked(request: HttpRequest, *, timeout_s: float) -> HttpAnswer:
            under_way = asyncio.create_task(send(request, timeout_s=timeout_s))
            await asyncio.sleep(0.05)  # the bytes are out
            self.crash(AFTER_SEND)
            return await under_way

        return marked

    def _world_clock(self) -> WorldClock | None:
        settings = self._settings
        if not settings.world_clock_url:
            return None
        if settings.broker == "paper":
            query = {"world": settings.world}
        else:
            query = {"account": settings.client_id, "broker": settings.broker}
        separator = "&" if "?" in settings.world_clock_url else "?"
        return WorldClock(
            url=f"{settings.world_clock_url}{separator}{urlencode(query)}",
            token_file=settings.world_token_file,
            name=settings.account_id,
            on_message=self._from_world,
        )

    def _make_replay(self) -> Replay | None:
        clock = self._world
        if clock is None:
            return None
        hub, door = self.hub, self.door
        pacer = self.pacer
        replay = Replay(
            hub,
            self.watchdog,
            answer=lambda seq, in_flight, wake_at: clock.idle(seq=seq, in_flight=in_flight, wake_at=wake_at),
            set_now=self._set_now,
            http_calls=lambda: (
                door.calls
                + hub.books.in_flight
                + hub.positions.in_flight
                + hub.quotes.in_flight
                + hub.own_calls
                - pacer.waiting
            ),
            queued=lambda: door.queued + hub.books.asked + hub.positions.asked,
            wakes=lambda: (door.next_pump(self.clock.now()), pacer.next_at()),
            remember=lambda names: hub.meanwhile(self.publisher.save(armed=" ".join(names))),
        )
        pacer.changed = replay.settle
        return replay

    # The world's messages

    def _from_world(self, message: world.ToParticipant) -> None:
        replay = self._replayed()
        if isinstance(message, world.Beat):
            self._beat(message)
        elif isinstance(message, world.WorldTick):
            self._paper_tick(message)
        elif isinstance(message, world.Joined):
            replay.restarted()
            self._newest_beat = 0
            self._set_now(message.now)
            self.pacer.market(running=message.running)
            if self._paper is not None and self._paper_kept:
                self._paper.exchange.restore(self._paper_kept, message.now)
                self._paper_kept = b""
                self.hub.read_for_all()
            self.hub.health_changed()
        else:
            self.pacer.market(running=message.state == "running")
            self.publisher.event("World", f"the market is {message.state}", message.now)

    def _paper_tick(self, tick: world.WorldTick) -> None:
        if self._paper is None or self._replay is None:
            return
        exchange = self._paper.exchange
        exchange.tick(tick.exchange, tick.symbol, price=tick.price, time=tick.time, volume=tick.volume, now=tick.now)
        market = self.symbols.by_key.get((tick.exchange, tick.symbol))
        if market is not None:
            self._replay.ticks([FeedTick(market.token, tick.price, tick.time, tick.volume)])

    def _beat(self, beat: world.Beat) -> None:
        replay, paper = self._replayed(), self._paper
        self._newest_beat = beat.seq
        if paper is not None:
            paper.exchange.clock(beat.now)
            if paper.changed:
                self._saving = asyncio.create_task(self._beat_when_saved(paper, beat))
                return
        replay.beat(beat)

    async def _beat_when_saved(self, paper: PaperAccount, beat: world.Beat) -> None:
        await paper.save()
        if beat.seq == self._newest_beat:  # a world that waited too long has gone on
            self._replayed().beat(beat)

    def _replayed(self) -> Replay:
        assert self._replay is not None, "a paper account and a world's messages come with a replayed market"
        return self._replay

    def _set_now(self, now: int) -> None:
        self.clock.set(now)
        self.pacer.moved(now)
        self.publisher.now(now)

    # What the hub asks for

    def health(self) -> wire.BrokerHealth:
        """Session, breaker and halts, as runners are told."""
        session = self.session.current()
        gate = self.door.gate
        paper = self._paper is not None
        return wire.BrokerHealth(
            now=self.clock.now(),
            session_valid_until=(1 << 52) if paper else session.valid_until if session else 0,
            session_reason="" if paper or session else "LoginNeeded",
            breaker_open=self.hub.breaker.state(monotonic_ms()) is BreakerState.OPEN,
            halted=bool(gate.halt_reason) or not gate.halts_known,
            halt_reason=gate.halt_reason or ("" if gate.halts_known else "halts not known yet"),
            egress=self.egress.found.address,
            open_positions=self.door.open_positions,
        )

    def _subscribe(self, tokens: list[int]) -> None:
        self._feed.subscribe(tokens)
        if self._paper is not None and self._world is not None:
            self._world.watch(tuple(f"{exchange}:{symbol}" for exchange, symbol in self.symbols.by_key))

    def set_halts(self, reasons: list[str]) -> None:
        """The operator told the halts in force."""
        self.door.gate = msgspec.structs.replace(self.door.gate, halts_known=True, halt_reason="; ".join(reasons))
        self.hub.health_changed()
        self._tell_state()

    def session_changed(self) -> None:
        """A login, or the end of one."""
        present = self._paper is not None or self.session.current() is not None
        self.door.gate = msgspec.structs.replace(self.door.gate, session=present)
        self._feed.session_changed(present=present and self._paper is None)
        self.hub.health_changed()
        if present:
            self.hub.read_for_all()
        self._tell_state()

    def _egress_changed(self, found: Egress) -> None:
        if found.state is EgressState.DIFFERS:
            say(Notice(DIFFERS, found.message, error=True), self.publisher, self.clock.now())
        self.hub.health_changed()
        self._tell_state()

    def _tell_state(self) -> None:
        health = self.health()
        self.publisher.state(
            session_valid_until=str(health.session_valid_until),
            session_reason=health.session_reason,
            feed="connected" if self._feed.up or self._paper is not None else "down",
            breaker=self.hub.breaker.state(monotonic_ms()).value,
            orders_today=str(self.door.orders.sent()),
            halted=str(int(bool(self.door.gate.halt_reason))),
            halt_reason=self.door.gate.halt_reason,
            egress=health.egress,
            egress_state=self.egress.found.state.value,
            egress_message=self.egress.found.message,
            registered_address=self._settings.registered_address,
            open_positions=str(health.open_positions),
        )

    def _numbers(self) -> dict[str, float]:
        health = self.health()
        return {
            "feed_up": float(self._feed.up or self._paper is not None),
            "session_valid": float(health.session_valid_until > health.now),
            "breaker_open": float(health.breaker_open),
            "halted": float(health.halted),
            "open_positions": float(health.open_positions),
            "runners": float(len(self.server.open)),
            "calls_under_way": float(self.door.calls),
            "calls_queued": float(self.door.queued),
            "copies_dropped_total": float(self.publisher.dropped),
        }

    # Life

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """The port is open."""
        settings = self._settings
        metrics = create_metrics(settings.account_id, self._numbers)
        app = create_admin(settings.public_key_file, self.set_halts, metrics)
        server, pages = await serve(self.server.accept, app, host=settings.host, port=settings.port)
        # Runners may reach the first port only; the operator's halt has one of its own beside it.
        await web.TCPSite(pages, settings.host, settings.port + 1).start()
        try:
            yield
        finally:
            server.close()
            await pages.cleanup()
            await self._client.aclose()
            if self._orders is not None:
                await self._orders.close()

    async def run(self) -> None:
        """Serve until cancelled; a part that ends takes the process down, so that it starts afresh."""
        if self._paper is not None:
            self._paper_kept = await self._kept_paper()
        if self._replay is not None:
            self._replay.expect((await self.publisher.read("armed") or b"").decode().split())
        gc.collect()
        gc.freeze()  # a full collection of what was built by now would hold an order up for tens of milliseconds
        async with self.serving(), asyncio.TaskGroup() as tasks:
            if self._world is not None:
                tasks.create_task(self._world.run())
            tasks.create_task(self._feed.run())
            tasks.create_task(self.session.watch(self.session_changed))
            tasks.create_task(self.publisher.run())
            tasks.create_task(self._each_second())
            tasks.create_task(self.egress.run())
            if self._settings.watched_file is not None:
                tasks.create_task(self._watch(self._settings.watched_file))
            self.session_changed()

    async def _watch(self, file: Path) -> None:
        await follow(
            file,
            self.symbols,
            today=lambda: session_date(self.clock.now()) if self._feed.up else None,
            subscribe=self._subscribe,
        )

    async def _kept_paper(self) -> bytes:
        """What an earlier process kept. An account that began empty because Redis was away would overwrite it."""
        while True:
            kept = await self.publisher.read("paper")
            if kept is not None:
                return kept
            await asyncio.sleep(_REDIS_AGAIN_S)

    async def _each_second(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._tell_state()
            if self.door.gate.breaker is not self.hub.breaker.state(monotonic_ms()):
                self.hub.health_changed()  # half-open by the passage of time
            if self._orders is not None and self.session.current() is not None:
                await self._orders.warm()
            if not self.clock.own:
                self.watchdog.at(self.clock.now())
            self.hub.apply(self.door.cancel_orphans(self.clock.now(), monotonic_ms()))
