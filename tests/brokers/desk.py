"""One trader's desk at one simulated broker: a world whose time the test holds, an account, and our own adapter at it.

The desk speaks to the broker through the port alone, so that a case reads the same for every broker. Time moves only by
`to`: between two moments the market stands, and rounds at the same instant carry out whatever was asked for. A read
that must wait for the broker's windows lets the market go on as far as that, as it does in a gateway.
"""

import asyncio
import dataclasses
import time as clock_time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx
from algo_brokers.adapter_parts import AdapterParts
from algo_brokers.errors import TooManyRequests
from algo_brokers.login import Credentials, Login
from algo_brokers.order_line import OrderLine, create_order_line
from algo_brokers.outcomes import Accepted, WriteOutcome
from algo_brokers.port import Broker, Feed
from algo_brokers.records import BrokerInstrument, FeedTick, InstrumentRef, NewOrder, OrderRef
from algo_brokers.registry import Adapter, adapter_of
from algo_brokers.session import Session
from algo_brokers.transports import create_client, create_http_transport
from algo_crds.contracts.clock import instant
from algo_crds.contracts.orders import Leg, OrderRow, OrderType, PositionRow, Product, Side
from algo_crds.contracts.tags import make_tag, strategy_hash
from algo_crds.contracts.world import Beat, Joined, WorldState
from algo_gateway.clock import SessionClock
from algo_gateway.pacing import ReadPacer, paced
from algo_simulator.testing import Player, Sim, ToParticipant, simulator, ticks

T = TypeVar("T")
R = 10_000
DAY = date(2021, 4, 12)
STRATEGY = strategy_hash("str_01m8zzzzzzzzzzzzzzzzzzzzzz")
CANARY = "canary"
REDIRECT = "http://127.0.0.1:1/callback"
WAIT_S = 10.0

ACCOUNT: dict[str, dict[str, Any]] = {
    "zerodha": {"client_id": "SM0001", "api_key": "canarykey0001", "api_secret": "canarysecret99"},
    "dhan": {"client_id": "1000000003", "api_key": "canarykey0001", "api_secret": "canarysecret99"},
    "fyers": {"client_id": "XS00001", "api_key": "SIMAPP0001-100", "api_secret": "canarysecret99"},
    "angelone": {"client_id": "S000001", "api_key": "canarykey0001", "api_secret": "canarysecret99"},
}
PRICES = (
    ("09:15:05", "2000.00"),
    ("09:16:00", "2001.00"),
    ("09:17:00", "1999.50"),
    ("09:20:00", "2000.00"),
    ("09:25:00", "1990.00"),
    ("09:30:00", "1985.00"),
    ("09:35:00", "1975.00"),
    ("09:40:00", "2010.00"),
    ("10:00:00", "2050.00"),
    ("15:10:00", "2050.00"),
)


class Ear:
    """Keeps what the feed says."""

    def __init__(self) -> None:
        self.ticks: list[FeedTick] = []
        self.rows: list[OrderRow] = []
        self.troubles: list[str] = []
        self.closed: list[str] = []
        self.frames: dict[str, int] = {}
        self.connections: dict[str, int] = {}
        self.news = asyncio.Event()

    def on_ticks(self, ticks: list[FeedTick]) -> None:
        self.ticks += ticks
        self.news.set()

    def on_row(self, row: OrderRow) -> None:
        self.rows.append(row)
        self.news.set()

    def on_frame(self, frames: int, stream: str = "market") -> None:
        self.frames[stream] = frames
        self.news.set()

    def on_connection(self, ordinal: int, stream: str = "market") -> None:
        self.connections[stream] = ordinal
        self.frames[stream] = 0
        self.news.set()

    def on_trouble(self, reason: str) -> None:
        self.troubles.append(reason)
        self.news.set()

    def on_closed(self, reason: str) -> None:
        self.closed.append(reason)
        self.news.set()


def wall_ms() -> int:
    """The instant of a login: sessions live by the wall, whatever day the market replays."""
    return clock_time.time_ns() // 1_000_000


@dataclass
class Desk:
    """What a case works with."""

    name: str
    sim: Sim
    adapter: Adapter
    broker: Broker
    login: Login
    credentials: Credentials
    player: Player
    clock: SessionClock
    pacer: ReadPacer
    target: int = 0
    session: Session | None = None
    session_overs: int = 0
    ear: Ear = field(default_factory=Ear)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    feeds: list[Feed] = field(default_factory=list)
    tags: int = 0
    listing: dict[str, BrokerInstrument] = field(default_factory=dict)

    # Time

    def now(self) -> int:
        """Session time in ms."""
        return self.clock.now()

    async def to(self, text: str) -> None:
        """Let the market run to `HH:MM:SS` and stand there."""
        self.target = instant(DAY, time.fromisoformat(text))
        view = await self.sim.call("GET", "/worlds/w")
        if view["state"] == "paused":
            await self.sim.call("POST", "/worlds/w/start", {})
        await self._answer()
        await self.until(lambda: self.now() >= self.target, f"the market reaches {text}")

    async def _answer(self) -> None:
        waiting = self.now() < self.target
        self.player.in_flight, self.player.wake_at = (0, self.target) if waiting else (1, None)
        if self.player.seq:
            await self.player.idle()

    async def on_message(self, player: Player, message: ToParticipant) -> None:
        """The player's callback: stand still at the target."""
        self.clock.set(message.now)
        self.pacer.moved(message.now)
        if isinstance(message, Joined | WorldState):
            running = message.running if isinstance(message, Joined) else message.state == "running"
            self.pacer.market(running=running)
        if isinstance(message, Beat):
            waiting = message.now < self.target
            player.in_flight, player.wake_at = (0, self.target) if waiting else (1, None)

    def on_wait(self) -> None:
        """A read waits for the market."""
        at = self.pacer.next_at()
        if at is not None and at > self.target:
            self.target = at
            self.tasks.add(asyncio.create_task(self._answer()))

    # The broker

    async def log_in(self) -> Session:
        """The broker's own way to a session: by its page where the app's secret proves it, else by PIN and code."""
        if "api_secret" in self.login.redirect_needs:
            assert self.login.begin is not None
            assert self.login.finish is not None
            url = await self.login.begin(credentials=self.credentials, state="st4te")
            async with self.sim.http.get(url, allow_redirects=False) as page:
                assert page.status in (302, 303, 307), await page.text()
                back = dict(parse_qsl(urlsplit(page.headers["Location"]).query))
            if self.login.state_in_redirect:
                assert back["state"] == "st4te"
            self.session = await self.login.finish(credentials=self.credentials, callback=back, now=wall_ms())
            return self.session
        return await self.log_in_directly()

    async def log_in_directly(self) -> Session:
        """By PIN and one-time code."""
        assert self.login.direct is not None
        self.session = await self.login.direct(credentials=self.credentials, now=wall_ms())
        return self.session

    async def ref(self, symbol: str = "RELIANCE") -> InstrumentRef:
        """The instrument with the broker's names, from its list."""
        if symbol not in self.listing:
            self.listing |= {one.symbol: one for one in await self.broker.read_instruments(exchange="NSE")}
        return self.listing[symbol].ref

    def tag(self, leg: Leg) -> str:
        """A tag of ours that was not used before."""
        self.tags += 1
        return make_tag(STRATEGY, DAY, leg, self.tags)

    async def place(self, **changes: Any) -> tuple[NewOrder, WriteOutcome]:
        """A buy of ten at 2,000, with changes; the order and what became of it."""
        leg = Leg.STOP if changes.get("type") is OrderType.STOP_LIMIT else Leg.ENTRY
        values: dict[str, Any] = {
            "tag": self.tag(leg),
            "instrument": await self.ref(),
            "side": Side.BUY,
            "type": OrderType.LIMIT,
            "quantity": 10,
            "price": 2000 * R,
            "product": Product.INTRADAY,
        }
        order = NewOrder(**(values | changes))
        return order, await self.broker.place(order=order)

    async def placed(self, **changes: Any) -> tuple[NewOrder, OrderRef]:
        """The same, accepted."""
        order, outcome = await self.place(**changes)
        assert isinstance(outcome, Accepted), outcome
        leg = Leg.STOP if order.type is OrderType.STOP_LIMIT else Leg.ENTRY
        return order, OrderRef(
            broker_order_id=outcome.broker_order_id,
            tag=order.tag,
            instrument=order.instrument,
            product=order.product,
            leg=leg,
        )

    async def stop(self, **changes: Any) -> tuple[NewOrder, OrderRef]:
        """A resting stop for ten at 1,980, limit 1,970."""
        values = {"side": Side.SELL, "type": OrderType.STOP_LIMIT, "price": 1970 * R, "trigger": 1980 * R}
        return await self.placed(**(values | changes))

    async def bought(self) -> None:
        """Ten shares bought at once."""
        _, ref = await self.placed(price=2005 * R)
        await self.row(ref, lambda row: row.filled == 10)

    async def row(self, ref: OrderRef, done: Callable[[OrderRow], bool] = lambda _row: True) -> OrderRow:
        """The order's row in the book, once it is as wanted."""
        found: list[OrderRow] = []

        async def look() -> bool:
            book = await self.broker.read_book(begun_at=self.now())
            found[:] = [row for row in book if row.broker_order_id == ref.broker_order_id]
            return bool(found) and done(found[0])

        await self.until_true(look, lambda: f"order {ref.broker_order_id} is as wanted; last seen {found}")
        return found[0]

    async def open_feed(self) -> Feed:
        """The feed, told to the desk's ear; a broker that wants a pause between connections gets it."""

        async def opened() -> bool:
            try:
                self.feeds.append(await self.broker.open_feed(listener=self.ear))
            except TooManyRequests:
                return False
            return True

        await self.until_true(opened, lambda: "the feed opens")
        return self.feeds[-1]

    async def fault(self, **switches: Any) -> None:
        """Break the broker."""
        body = {"client_id": self.credentials.client_id} | switches
        await self.sim.call("PATCH", "/worlds/w/faults", body)

    async def hand(self, **action: Any) -> Any:
        """The trader's own hand, or the exchange's."""
        return await self.sim.call("POST", "/worlds/w/manual", {"client_id": self.credentials.client_id, **action})

    # Waiting

    async def until(self, done: Callable[[], bool], what: str) -> None:
        """Until something is so, by wall time."""

        async def look() -> bool:
            return done()

        await self.until_true(look, lambda: what)

    async def until_true(self, done: Callable[[], Awaitable[bool]], what: Callable[[], str]) -> None:
        """Until something is so, by wall time."""
        deadline = asyncio.get_running_loop().time() + WAIT_S
        while not await done():
            assert asyncio.get_running_loop().time() < deadline, f"not within {WAIT_S:g} s: {what()}"
            await asyncio.sleep(0.02)


def with_books(broker: Broker, pacer: ReadPacer) -> Broker:
    """Book and positions wait as well: in a gateway their shared reader does that."""

    async def read_book(*, begun_at: int) -> tuple[OrderRow, ...]:
        await pacer.admit("book")
        return await broker.read_book(begun_at=begun_at)

    async def read_positions() -> tuple[PositionRow, ...]:
        await pacer.admit("positions")
        return await broker.read_positions()

    return dataclasses.replace(broker, read_book=read_book, read_positions=read_positions)


def account_at(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    """What the simulated broker knows of the trader."""
    return {
        "broker": name,
        "pin": "654321" if name == "dhan" else "4321",
        "totp_secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "redirect_url": REDIRECT,
        **ACCOUNT[name],
        **changes,
    }


def desk_at(sim: Sim, account: dict[str, Any], client: httpx.AsyncClient, line: OrderLine) -> Desk:
    """The desk of an account; nobody has joined its market yet."""
    name = account["broker"]
    adapter = adapter_of(name)
    holder: list[Desk] = []
    clock = SessionClock(own=True)

    def over() -> None:
        holder[0].session_overs += 1

    parts = AdapterParts(
        transport=lambda base: create_http_transport(client, base_url=base),
        write=line.send,
        current=lambda: holder[0].session,
        now=clock.now,
        endpoints=adapter.simulated(sim.address(name)),
        session_over=over,
    )
    broker = adapter.create_broker(parts)
    pacer = ReadPacer(broker.windows, clock)
    given = {field: account[field] for field in ("client_id", "api_key", "api_secret", "pin", "totp_secret")}
    desk = Desk(
        name=name,
        sim=sim,
        adapter=adapter,
        broker=with_books(paced(broker, pacer), pacer),
        login=adapter.create_login(parts.transport, parts.endpoints),
        credentials=Credentials(redirect_uri=REDIRECT, **given),
        player=Player(sim, "world=w"),
        clock=clock,
        pacer=pacer,
    )
    holder.append(desk)
    desk.player.on_message = desk.on_message
    pacer.changed = desk.on_wait
    return desk


@asynccontextmanager
async def open_desk(name: str, **world: Any) -> AsyncIterator[Desk]:
    """A desk at a broker; nobody has logged in, and the market stands a minute before it opens."""
    account = account_at(name, world.pop("account", {}))
    async with simulator() as sim:
        spec = {"name": "w", "date": DAY.isoformat(), "symbols": ["NSE:RELIANCE", "NSE:TCS"], "speed": 0}
        spec |= {"accounts": [account], "participants": 1, "previous_closes": {"NSE:RELIANCE": "2000"}} | world
        await sim.call("POST", "/worlds", spec, status=201)
        await sim.call("PUT", "/worlds/w/ticks/NSE/RELIANCE?previous_close=2000", ticks(list(PRICES)))
        client, line = create_client(), create_order_line(adapter_of(name).simulated(sim.address(name)).rest)
        desk = desk_at(sim, account, client, line)
        async with desk.player:
            try:
                yield desk
            finally:
                for feed in desk.feeds:
                    await feed.close()
        await line.close()
        await client.aclose()
