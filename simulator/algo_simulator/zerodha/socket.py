"""The market socket: prices in binary frames, order updates as text, on every connection of the account.

Frames are put on a connection's queue at once and counted there, so that a beat can say how far a participant must
read; a task of the connection writes them out in order.
"""

import asyncio
import logging
import time
from typing import Final

import msgspec
from aiohttp import WSMsgType, web
from algo_crds.contracts.world import CONNECTION_NOTICE
from algo_market.row_parsers import Trade

from algo_simulator.accounts import Account
from algo_simulator.clock import Clock
from algo_simulator.faults import use
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, Snapshot, Stage
from algo_simulator.zerodha.frames import HEARTBEAT, frame, packet
from algo_simulator.zerodha.names import kite_token
from algo_simulator.zerodha.rows import update_payload
from algo_simulator.zerodha.session import Caller

LOG: Final = logging.getLogger(__name__)
HEARTBEAT_S: Final = 1.0
MAX_CONNECTIONS: Final = 3
MAX_TOKENS: Final = 3_000
MAX_QUEUE: Final = 20_000
_PUBLIC: Final = frozenset(
    {Stage.LIVE, Stage.PARTLY_FILLED, Stage.FILLED, Stage.CANCELLED, Stage.REJECTED, Stage.MODIFIED}
)


class _ClientMessage(msgspec.Struct, frozen=True):
    a: str
    v: list[int | str | list[int]]


class _Connection:
    """One client's socket."""

    def __init__(self, caller: Caller, ordinal: int) -> None:
        self.caller = caller
        self.ordinal = ordinal
        self.modes: dict[int, str] = {}
        self.queue: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        self.sent_at = time.monotonic()

    def put(self, message: bytes | str) -> None:
        """Queue a frame and count it, or cut a client that does not read."""
        if self.queue.qsize() > MAX_QUEUE:
            self.close()
            return
        account = self.caller.account
        if account.connection == self.ordinal:
            account.frames_sent += 1
        self.sent_at = time.monotonic()
        self.queue.put_nowait(message)

    def close(self) -> None:
        """End the connection after what is queued."""
        self.queue.put_nowait(None)


class Sockets:
    """Every open market socket, by account."""

    def __init__(self) -> None:
        self._open: dict[Account, list[_Connection]] = {}
        self._watched: set[Clock] = set()

    def watch(self, clock: Clock, account: Account) -> None:
        """Send an account's order updates, and its world's ticks, from now on."""
        self._open[account] = []

        def on_change(order: AccountOrder, snapshot: Snapshot) -> None:
            if snapshot.stage in _PUBLIC:
                self._update(Caller(clock, account), order, snapshot)

        account.listeners.append(on_change)
        if clock not in self._watched:
            self._watched.add(clock)

            def feed(market: Market, rows: list[Trade]) -> None:
                self._ticks(clock, market, rows)

            clock.feeds.append(feed)

    def forget(self, clock: Clock) -> None:
        """Close every socket of a world."""
        self._watched.discard(clock)
        for account in clock.world.accounts.values():
            for connection in self._open.pop(account, []):
                connection.close()

    def disconnect(self, account: Account) -> None:
        """Cut the account's sockets (a fault)."""
        for connection in self._open.get(account, []):
            connection.close()

    async def serve(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Speak with one client until it goes."""
        account = caller.account
        connections = self._open[account]
        if len(connections) >= MAX_CONNECTIONS:
            raise web.HTTPTooManyRequests
        socket = web.WebSocketResponse(compress=False, heartbeat=None, autoping=True)
        await socket.prepare(request)
        account.connection += 1
        account.frames_sent = 0
        connection = _Connection(caller, account.connection)
        connections.append(connection)
        connection.put(msgspec.json.encode({"type": CONNECTION_NOTICE, "data": connection.ordinal}).decode())
        caller.clock.world.touch()
        tasks = [asyncio.create_task(_write(socket, connection)), asyncio.create_task(_beat(connection))]
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    _on_message(connection, message.data)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if connection in connections:
                connections.remove(connection)
            if account.connection == connection.ordinal:
                caller.clock.world.touch()
        return socket

    def _update(self, caller: Caller, order: AccountOrder, snapshot: Snapshot) -> None:
        account, world = caller.account, caller.clock.world
        faults = account.faults
        if use(faults, "drop_updates"):
            return
        market = world.markets[f"{order.exchange}:{order.symbol}"]
        payload = update_payload(caller, order, snapshot, market)
        text = msgspec.json.encode({"type": "order", "data": payload}).decode()
        times = 2 if use(faults, "duplicate_updates") else 1

        def send() -> None:
            for connection in self._open.get(account, []):
                for _ in range(times):
                    connection.put(text)
                world.touch()

        if faults.delay_updates_ms > 0:
            world.at(world.now + faults.delay_updates_ms, send)
        else:
            send()

    def _ticks(self, clock: Clock, market: Market, rows: list[Trade]) -> None:
        token = kite_token(market.instrument)
        frames: dict[str, bytes] = {}
        for account in clock.world.accounts.values():
            if account.faults.mute_feed:
                continue
            for connection in self._open.get(account, []):
                mode = connection.modes.get(token)
                if mode is None:
                    continue
                if mode not in frames:
                    frames[mode] = frame([packet(mode, market, row) for row in rows])
                connection.put(frames[mode])


async def _write(socket: web.WebSocketResponse, connection: _Connection) -> None:
    try:
        while (message := await connection.queue.get()) is not None:
            if isinstance(message, str):
                await socket.send_str(message)
            else:
                await socket.send_bytes(message)
        await socket.close()
    except ConnectionError:
        LOG.info("market connection %s of %s is gone", connection.ordinal, connection.caller.account.spec.client_id)


async def _beat(connection: _Connection) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_S)
        if time.monotonic() - connection.sent_at >= HEARTBEAT_S / 2:
            connection.put(HEARTBEAT)


def _on_message(connection: _Connection, text: str) -> None:
    """Subscribe, unsubscribe or set a mode; repeated subscriptions are no error."""
    try:
        message = msgspec.json.decode(text, type=_ClientMessage)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        connection.put('{"type":"error","data":"Invalid message."}')
        return
    known = {kite_token(market.instrument) for market in connection.caller.clock.world.markets.values()}
    modes = connection.modes
    if message.a == "mode" and len(message.v) == 2 and isinstance(message.v[1], list):
        mode = message.v[0]
        if isinstance(mode, str) and mode in ("ltp", "quote", "full"):
            modes.update(dict.fromkeys((token for token in message.v[1] if token in modes), mode))
        return
    tokens = [token for token in message.v if isinstance(token, int)]
    if message.a == "unsubscribe":
        for token in tokens:
            modes.pop(token, None)
    elif message.a == "subscribe":
        # Only what this world trades is kept: the rest is silent, as an unknown token is.
        modes.update({token: "quote" for token in tokens if token in known and token not in modes})
        if len(tokens) > MAX_TOKENS:
            connection.put('{"type":"error","data":"Too many instruments on this connection."}')
    else:
        connection.put('{"type":"error","data":"Unknown action."}')
