"""Test double of what another process does: a gateway with a broker and a market behind it, speaking `wire`.

One symbol, unlimited liquidity. The market goes in rounds, as a replayed one: ticks, beat, wait for `Idle`; a round in
which anything was sent, or calls are in flight, is followed by one of the same instant.
"""

import asyncio
import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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
from algo_crds.contracts.tags import parse_tag
from algo_crds.contracts.tokens import RunnerClaims
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

DAY = "2021-04-12"
MIDNIGHT = 1_618_165_800_000
"""2021-04-12 00:00 IST."""
SECOND = 1_000
PRICE = 10_000
"""One rupee."""
SOURCE = "src_00000000000000000000000000"
ROUND_TIMEOUT_S = 15.0


def at(text: str) -> int:
    """The instant of an exchange time of the day."""
    hour, minute, second = (int(part) for part in text.split(":"))
    return MIDNIGHT + (hour * 3600 + minute * 60 + second) * SECOND


@dataclass
class BrokerOrder:
    """One order at the broker."""

    broker_order_id: str
    tag: str
    leg: Leg
    side: Side
    type: OrderType
    quantity: int
    price: int
    trigger: int
    status: OrderStatus
    filled: int = 0
    average: int = 0

    def row(self, now: int) -> OrderRow:
        """As the broker tells it."""
        return OrderRow(
            broker_order_id=self.broker_order_id,
            exchange_order_id=f"x{self.broker_order_id}",
            tag=self.tag,
            exchange="NSE",
            symbol="RELIANCE",
            product=Product.INTRADAY,
            side=self.side,
            type=self.type,
            quantity=self.quantity,
            price=self.price,
            trigger=self.trigger,
            filled=self.filled,
            average_price=self.average,
            status=self.status,
            order_time=now,
            read_at=now,
        )


@dataclass
class FakeGateway:
    """The double. Its broker's book outlives connections."""

    own_clock: bool = True
    _now: int = field(default_factory=lambda: at("09:19:50"))
    _begun: float = field(default_factory=time.monotonic)
    last: int = 2_000 * PRICE
    rest_entries: bool = False
    """Entries do not fill, they rest."""
    stuck_stops: bool = False
    """Resting stops do not trigger."""
    port: int = 0
    orders: dict[str, BrokerOrder] = field(default_factory=dict)
    received: list[wire.ToGateway] = field(default_factory=list)
    newest_epoch: int = 0
    connections: int = 0
    armed: asyncio.Event = field(default_factory=asyncio.Event)
    idle: wire.Idle | None = None
    rounds: int = 0
    calls: list[tuple[int, wire.ToGateway]] = field(default_factory=list)
    """What came, and when."""
    instants: list[tuple[int, int | None]] = field(default_factory=list)
    """Where the market stood still before it moved on, and when the runner wanted to wake."""
    timeouts: int = 0
    on_write: Callable[[wire.ToGateway], bool] | None = None
    """Sees each write first; True swallows it (no answer, nothing done)."""
    _transport: WSTransport | None = None
    _sent: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _row_seq: int = 0
    _server: asyncio.Server | None = None
    last_send: int = 0
    last_tag: str = ""

    @property
    def now(self) -> int:
        """Session time: what the market says, or its start and what has passed since."""
        return self._now if self.own_clock else self._now + int((time.monotonic() - self._begun) * 1000)

    @now.setter
    def now(self, instant: int) -> None:
        self._now, self._begun = instant, time.monotonic()

    async def start(self) -> None:
        """Listen on a free port, the same after a stop."""
        self._server = await ws_create_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything."""
        if self._transport is not None:
            self._transport.disconnect()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def cut(self) -> None:
        """Break the connection."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def send(self, message: wire.ToRunner) -> None:
        """To the runner; nothing if there is none."""
        if self._transport is not None:
            self._transport.send(WSMsgType.BINARY, wire.encode(message))
            self._sent = True

    # The connection

    def _accept(self, request: WSUpgradeRequest) -> WSListener:
        token = str(request.headers["Authorization"]).removeprefix("Bearer ")
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=RunnerClaims)
        return _Connection(self, claims)

    def opened(self, transport: WSTransport, claims: RunnerClaims) -> None:
        """A runner has connected."""
        if claims.epoch < self.newest_epoch:
            lost = wire.EpochLost(now=self.now, newest=self.newest_epoch)
            transport.send(WSMsgType.BINARY, wire.encode(lost))
            transport.disconnect()
            return
        if self._transport is not None:
            lost = wire.EpochLost(now=self.now, newest=claims.epoch)
            self._transport.send(WSMsgType.BINARY, wire.encode(lost))
            self._transport.disconnect()
        self.newest_epoch = claims.epoch
        self.connections += 1
        self._transport = transport
        self.idle = None
        self.send(self._welcome(claims.epoch))

    def _welcome(self, epoch: int) -> wire.Welcome:
        return wire.Welcome(
            now=self.now,
            epoch=epoch,
            account="brk_00000000000000000000000000",
            source=SOURCE,
            own_clock=self.own_clock,
            simulated=True,
            instrument=wire.Instrument(
                exchange="NSE",
                symbol="RELIANCE",
                tick_size=500,
                lot=1,
                freeze_quantity=100_000,
                band_low=1_800 * PRICE,
                band_high=2_200 * PRICE,
                previous_close=2_000 * PRICE,
            ),
            session=wire.SessionTimes(
                day=DAY,
                open=at("09:15:00"),
                last_new_order=at("15:20:00"),
                end_of_stops=at("15:30:00"),
                last_match=at("15:30:00"),
            ),
            capability=wire.Capability(
                broker="zerodha",
                convert_stop_to_exit=True,
                modify_quantity_is_total=True,
                has_trigger_status=True,
                max_modifications=25,
                visibility_delay_ms=10_000,
                read_by_tag=False,
                max_trigger_gap_bp=300,
            ),
            last_send=self.last_send,
            last_tag=self.last_tag,
            broker=wire.BrokerHealth(now=self.now, session_valid_until=at("23:59:59")),
        )

    def closed(self, transport: WSTransport) -> None:
        """The runner has gone."""
        if transport is self._transport:
            self._transport = None
            self.armed.clear()
            self._changed.set()

    def take(self, message: wire.ToGateway) -> None:
        """A message of the runner."""
        self.received.append(message)
        self.calls.append((self.now, message))
        match message:
            case wire.Armed():
                self.armed.set()
            case wire.Idle():
                self.idle = message
                self._changed.set()
            case wire.ReadBook():
                rows = tuple(order.row(self.now) for order in self.orders.values())
                self.send(wire.Book(now=self.now, req=message.req, begun_at=self.now, rows=rows))
            case wire.ReadPositions():
                net = PositionRow(exchange="NSE", symbol="RELIANCE", product=Product.INTRADAY, quantity=self.held())
                self.send(wire.Positions(now=self.now, req=message.req, begun_at=self.now, rows=(net,)))
            case wire.ReadQuote():
                self.send(wire.Tick(now=self.now, price=self.last, time=self.now, source=SOURCE, polled=True))
            case _:
                if self.on_write is None or not self.on_write(message):
                    self._write(message)

    # The broker

    def _write(self, message: wire.Place | wire.Modify | wire.Cancel) -> None:
        self.last_send = self.now
        if isinstance(message, wire.Place):
            self.last_tag = message.tag
            if any(order.tag == message.tag for order in self.orders.values()):
                self.send(wire.Rejected(now=self.now, req=message.req, kind=RejectKind.DUPLICATE_TAG))
                return
            status = OrderStatus.OPEN if message.type is OrderType.LIMIT else OrderStatus.TRIGGER_PENDING
            order = BrokerOrder(
                broker_order_id=f"b{len(self.orders) + 1}",
                tag=message.tag,
                leg=message.leg,
                side=message.side,
                type=message.type,
                quantity=message.quantity,
                price=message.price,
                trigger=message.trigger,
                status=status,
            )
            self.orders[order.broker_order_id] = order
        else:
            order = self.orders[message.broker_order_id]
            if order.status in FINAL:
                self.send(wire.Rejected(now=self.now, req=message.req, kind=RejectKind.NOT_MODIFIABLE))
                return
            if isinstance(message, wire.Cancel):
                order.status = OrderStatus.CANCELLED
            else:
                order.type, order.quantity = message.type, message.quantity
                order.price, order.trigger = message.price, message.trigger
                order.status = OrderStatus.OPEN if message.type is OrderType.LIMIT else OrderStatus.TRIGGER_PENDING
        self.send(wire.Accepted(now=self.now, req=message.req, broker_order_id=order.broker_order_id))
        self.tell(order)
        self.match(order)

    def tell(self, order: BrokerOrder) -> None:
        """An order row on the broker's socket."""
        self._row_seq += 1
        self.send(wire.Row(now=self.now, seq=self._row_seq, row=order.row(self.now)))

    def match(self, order: BrokerOrder) -> None:
        """Fill what the last price fills."""
        if order.status in FINAL or (self.rest_entries and order.leg is Leg.ENTRY):
            return
        buys = order.side is Side.BUY
        if order.status is OrderStatus.TRIGGER_PENDING:
            if self.stuck_stops or not (self.last >= order.trigger if buys else self.last <= order.trigger):
                return
            order.status = OrderStatus.TRIGGERED
        if self.last <= order.price if buys else self.last >= order.price:
            order.status, order.filled, order.average = OrderStatus.FILLED, order.quantity, self.last
        self.tell(order)

    # The market

    async def play(self, ticks: "Iterator[tuple[int, int]]", *, until: int) -> None:
        """Go from tick to tick in lockstep with the runner, to an instant."""
        pending = next(ticks, None)
        while self.now < until:
            if pending is not None and pending[0] <= self.now:
                self.last = pending[1]
                self.send(wire.Tick(now=self.now, price=self.last, time=self.now // 1000 * 1000, source=SOURCE))
                for order in list(self.orders.values()):
                    self.match(order)
                pending = next(ticks, None)
            quiet = await self._round()
            if not quiet:
                continue
            self.instants.append((self.now, self.idle.wake_at if self.idle is not None else None))
            choices = [self.now + SECOND, until]
            if pending is not None:
                choices.append(max(pending[0], self.now))
            if self.idle is not None and self.idle.wake_at is not None:
                choices.append(max(self.idle.wake_at, self.now + 1))
            self.now = min(choices)

    async def _round(self) -> bool:
        """One beat; True if nothing happened at this instant since, so that time may move."""
        self.rounds += 1
        self._sent = False
        seq = self.rounds
        if self._transport is None:
            return True
        self.send(wire.Beat(now=self.now, seq=seq))
        self._sent = False
        try:
            async with asyncio.timeout(ROUND_TIMEOUT_S):
                while self._transport is not None:
                    if self.idle is not None and self.idle.seq == seq and self.idle.in_flight == 0:
                        break
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self.timeouts += 1
            return True
        return not self._sent

    # Questions

    def placed_at(self, kind: type[wire.Place] | type[wire.Modify]) -> wire.Place | wire.Modify:
        """The first call of a kind."""
        return next(message for message in self.received if isinstance(message, kind))

    def held(self) -> int:
        """Shares held by the account."""
        return sum(order.filled if order.side is Side.BUY else -order.filled for order in self.orders.values())

    def resting_stop(self) -> int:
        """Shares that live stops protect."""
        live = (o for o in self.orders.values() if o.status is OrderStatus.TRIGGER_PENDING)
        return sum(order.quantity - order.filled for order in live)

    def placed(self, leg: Leg) -> list[BrokerOrder]:
        """Orders by the leg in their tag."""
        found = []
        for order in self.orders.values():
            parsed = parse_tag(order.tag)
            if parsed is not None and parsed.leg is leg:
                found.append(order)
        return found


class _Connection(WSListener):
    def __init__(self, gateway: FakeGateway, claims: RunnerClaims) -> None:
        self._gateway = gateway
        self._claims = claims

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._gateway.opened(transport, self._claims)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.BINARY:
            self._gateway.take(wire.decode_to_gateway(frame.get_payload_as_bytes()))
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._gateway.closed(transport)


def path(*points: tuple[str, int]) -> "Iterator[tuple[int, int]]":
    """One tick a second, with the price in rupees that holds from each time on."""
    levels = [(at(text), price * PRICE) for text, price in points]
    for index, (start, price) in enumerate(levels[:-1]):
        for second in range(start, levels[index + 1][0], SECOND):
            yield second, price
    yield levels[-1]
