"""The sockets of a simulated broker: what any of them needs, whatever it speaks.

A broker gives a `Dialect` (what it says and when); this module accepts clients, numbers their connections in the
handshake's answer (`CONNECTION_HEADER`), counts every data message, writes them in order from a queue, keeps the limit
of connections, carries order changes and ticks to whoever listens, and plays the faults of feeds and updates.

Messages are queued and counted at once, so that a beat can say how far a participant must read; a task of the
connection writes them out.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from aiohttp import WSMsgType, web
from algo_crds.contracts.world import CONNECTION_HEADER
from algo_market.row_parsers import Trade

from algo_simulator.accounts import MARKET_STREAM, Account, Stream
from algo_simulator.clock import Clock
from algo_simulator.faults import use
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, Snapshot

LOG: Final = logging.getLogger(__name__)
MAX_QUEUE: Final = 20_000
Message = bytes | str


class _Close(NamedTuple):
    code: int
    reason: bytes


class Connection:
    """One client's socket. `state` is the dialect's own: subscriptions, modes, what was sent before."""

    def __init__(self, ordinal: int, request: web.Request, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.request = request
        self.monotonic = monotonic
        self.clock: Clock | None = None
        self.account: Account | None = None
        """Whose it is; None until a client that proves itself in band has done so (`Sockets.bind`)."""
        self.sent = Stream(connection=ordinal)
        self.state: Any = None
        self.closing = False
        self.sent_at = self.monotonic()
        """Wall time of the newest message, for heartbeats that are due in silence."""
        self.heard_at = self.sent_at
        """Wall time of the client's newest data message or ping."""
        self.queue: asyncio.Queue[Message | _Close] = asyncio.Queue()

    def put(self, message: Message) -> None:
        """Queue a data message and count it, or cut a client that does not read."""
        if self.closing:
            return
        if self.queue.qsize() > MAX_QUEUE:
            self.close()
            return
        self.sent.frames += 1
        self.sent_at = self.monotonic()
        self.queue.put_nowait(message)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection after what is queued."""
        if not self.closing:
            self.closing = True
            self.queue.put_nowait(_Close(code, reason.encode()[:120]))


class Batch(NamedTuple):
    """The recorded rows of one symbol that go out together. `made` is for frames that several connections share."""

    market: Market
    rows: list[Trade]
    now: int
    made: dict[Any, list[Message]]


Received = Callable[[Connection, Message], None]
Ticks = Callable[[Connection, Batch], Sequence[Message]]
Update = Callable[[Connection, AccountOrder, Snapshot], Sequence[Message]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What one kind of socket of a broker says. Everything but `received` is optional."""

    received: Received
    """A data message of the client. Never called after the connection began to close."""
    stream: str = MARKET_STREAM
    opened: Callable[[Connection], None] | None = None
    """The handshake is done: make `state`, say the first words."""
    ticks: Ticks | None = None
    """The messages that a connection gets for recorded rows; empty where it has not asked for the symbol."""
    update: Update | None = None
    """The messages that a connection gets for a stage of an order; empty for stages that the broker does not tell."""
    heartbeat: Callable[[Connection], None] | None = None
    """Called every `heartbeat_s` of wall time: say what keeps the line alive, or close one that is silent too long."""
    heartbeat_s: float = 1.0
    monotonic: Callable[[], float] = time.monotonic
    """Seconds by which a connection's silence is measured."""
    ping_s: float | None = None
    """WebSocket pings so often; a client that does not answer within half of it is gone."""
    max_connections: int = 0
    """Of one account; 0: no limit."""
    kick: Callable[[Connection], None] | None = None
    """How the oldest connection is told to go when one more comes; without it the newest is refused with 429."""


class Sockets:
    """Every open connection of one kind of socket, by account.

    A front end makes one per `Dialect`, hands `watch` and `forget` to `Worlds.on_account` and `Worlds.on_delete`
    (`front.py` does), and calls `serve` from its route.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._open: dict[Account, list[Connection]] = {}
        self._watched: set[Clock] = set()
        self._ordinals = 0

    def watch(self, clock: Clock, account: Account) -> None:
        """Send an account's order updates, and its world's ticks, from now on."""
        self._open[account] = []
        account.cuts.append(lambda: self.disconnect(account))
        if self.dialect.update is not None:
            account.listeners.append(lambda order, snapshot: self._update(clock, account, order, snapshot))
        if self.dialect.ticks is not None and clock not in self._watched:
            self._watched.add(clock)
            clock.feeds.append(lambda market, rows: self._ticks(clock, market, rows))

    def forget(self, clock: Clock) -> None:
        """Close every connection of a world."""
        self._watched.discard(clock)
        for account in clock.world.accounts.values():
            for connection in self._open.pop(account, []):
                connection.close()

    def disconnect(self, account: Account) -> None:
        """Cut the account's connections (a fault)."""
        for connection in self._open.get(account, []):
            connection.close()

    def open(self, account: Account) -> list[Connection]:
        """The account's connections, oldest first."""
        return list(self._open.get(account, []))

    async def serve(
        self, request: web.Request, clock: Clock | None = None, account: Account | None = None
    ) -> web.StreamResponse:
        """Speak with one client until it goes. Without an account it must prove itself in band: see `bind`.

        Raises:
            web.HTTPTooManyRequests: the account has as many connections as it may.
            web.HTTPBadRequest: no WebSocket handshake.
        """
        if account is not None and self._full(account) and self.dialect.kick is None:
            raise web.HTTPTooManyRequests
        socket = web.WebSocketResponse(compress=False, autoping=False, heartbeat=self.dialect.ping_s)
        if not socket.can_prepare(request):
            raise web.HTTPBadRequest
        self._ordinals += 1
        connection = Connection(self._ordinals, request, self.dialect.monotonic)
        socket.headers[CONNECTION_HEADER] = str(self._ordinals)
        # Whoever sees the handshake's answer is already told of everything that happens from then on.
        if clock is not None and account is not None:
            self.bind(connection, clock, account)
        if self.dialect.opened is not None:
            self.dialect.opened(connection)
        try:
            await socket.prepare(request)
        except BaseException:
            self._drop(connection)
            raise
        _touch(connection)
        tasks = [asyncio.create_task(_write(socket, connection))]
        if self.dialect.heartbeat is not None:
            tasks.append(asyncio.create_task(_beat(connection, self.dialect.heartbeat, self.dialect.heartbeat_s)))
        try:
            await self._read(socket, connection)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._drop(connection)
        return socket

    def bind(self, connection: Connection, clock: Clock, account: Account) -> bool:
        """Give a connection to an account; False (and the connection closes) where the account has too many."""
        if account not in self._open:
            connection.close()
            return False
        if self._full(account):
            if self.dialect.kick is None:
                connection.close(1008)
                return False
            oldest = self._open[account].pop(0)
            self.dialect.kick(oldest)
            oldest.close()
        connection.clock, connection.account = clock, account
        account.streams[self.dialect.stream] = connection.sent
        self._open[account].append(connection)
        return True

    async def _read(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        async for message in socket:
            if message.type is WSMsgType.PING:
                connection.heard_at = connection.monotonic()
                await socket.pong(message.data)
            if connection.closing or message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            connection.heard_at = connection.monotonic()
            before = connection.sent.frames
            self.dialect.received(connection, message.data)
            if connection.sent.frames != before:
                _touch(connection)

    def _full(self, account: Account) -> bool:
        return 0 < self.dialect.max_connections <= len(self._open.get(account, []))

    def _drop(self, connection: Connection) -> None:
        account = connection.account
        if account is not None and connection in self._open.get(account, []):
            self._open[account].remove(connection)
        _touch(connection)

    def _update(self, clock: Clock, account: Account, order: AccountOrder, snapshot: Snapshot) -> None:
        world, faults, render = clock.world, account.faults, self.dialect.update
        assert render is not None
        # What is told is rendered now: the order may have moved on by the time a delayed message goes out.
        told = [(connection, list(render(connection, order, snapshot))) for connection in self._open[account]]
        if not any(messages for _, messages in told) or use(faults, "drop_updates"):
            return
        times = 2 if use(faults, "duplicate_updates") else 1

        def send() -> None:
            for connection, messages in told:
                for _ in range(times):
                    for message in messages:
                        connection.put(message)
                world.touch()

        if faults.delay_updates_ms > 0:
            world.at(world.now + faults.delay_updates_ms, send)
        else:
            send()

    def _ticks(self, clock: Clock, market: Market, rows: list[Trade]) -> None:
        render = self.dialect.ticks
        assert render is not None
        batch = Batch(market, rows, clock.world.now, {})
        for account in clock.world.accounts.values():
            if account.faults.mute_feed:
                continue
            for connection in self._open.get(account, []):
                for message in render(connection, batch):
                    connection.put(message)


def _touch(connection: Connection) -> None:
    if connection.clock is not None:
        connection.clock.world.touch()


async def _write(socket: web.WebSocketResponse, connection: Connection) -> None:
    try:
        while True:
            message = await connection.queue.get()
            if isinstance(message, _Close):
                await socket.close(code=message.code, message=message.reason)
                return
            if isinstance(message, str):
                await socket.send_str(message)
            else:
                await socket.send_bytes(message)
    except ConnectionError:
        LOG.info("connection %s of %s is gone", connection.sent.connection, connection.request.path)


async def _beat(connection: Connection, heartbeat: Callable[[Connection], None], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        if not connection.closing:
            heartbeat(connection)
