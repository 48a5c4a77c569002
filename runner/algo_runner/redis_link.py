"""One lean connection to Redis: pipelined commands, pushes of one channel, reconnect by itself.

Why not a client library: docs/adr/0003-runner-redis-connection.md. Replies are read by hiredis, the protocol is RESP3,
so that pub/sub messages come on the same connection (https://redis.io/docs/latest/develop/reference/protocol-spec/).
Nothing here repeats a command: what was under way when the connection broke fails with `RedisAwayError`, and the caller
knows whether it may be sent again.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

import hiredis

log: Final = logging.getLogger("algo_runner.redis")
Part = str | bytes | int
_pack: Final[Callable[[tuple[Part, ...]], bytes]] = hiredis.pack_command  # type: ignore[assignment]
FIRST_BACKOFF_S: Final = 0.05
LONGEST_BACKOFF_S: Final = 2.0
CONNECT_TIMEOUT_S: Final = 3.0
ANSWER_TIMEOUT_S: Final = 5.0
"""A connection that leaves the oldest command without a reply for so long is given up."""


class RedisAwayError(Exception):
    """There is no connection, or it broke before the reply came: the command may or may not have been done."""


class RedisRefusedError(Exception):
    """Redis answered with an error; the message is its own."""


class RedisLink:
    """The connection. `call` may be used at any time; `run` keeps it up until cancelled."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        database: int,
        username: str,
        password: Callable[[], str],
        channel: str,
        on_push: Callable[[bytes], None],
        on_state: Callable[[bool], None],
    ) -> None:
        self._host, self._port, self._database, self._username = host, port, database, username
        self._password = password
        self._channel = channel
        self._on_push = on_push
        self._on_state = on_state
        self._wire: _Wire | None = None
        self.connected = False

    def call(self, *parts: Part) -> "asyncio.Future[Any]":
        """Send a command; the future holds its reply, or `RedisAwayError` or `RedisRefusedError`."""
        if self._wire is None or not self.connected:
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            future.set_exception(RedisAwayError("no connection to Redis"))
            return future
        return self._wire.send(parts)

    async def run(self) -> None:
        """Connect, and again whenever the connection ends, with growing pauses (wall time)."""
        pause = FIRST_BACKOFF_S
        while True:
            try:
                wire = await self._connect()
            except (OSError, RedisAwayError, RedisRefusedError, TimeoutError) as error:
                log.warning("Redis at %s:%s: %s; trying again", self._host, self._port, error or "no answer")
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_BACKOFF_S)
                continue
            pause = FIRST_BACKOFF_S
            self._wire, self.connected = wire, True
            self._on_state(True)
            try:
                await wire.watch()
            finally:
                self.connected = False
                wire.close()
                self._on_state(False)

    async def _connect(self) -> "_Wire":
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, wire = await loop.create_connection(lambda: _Wire(self._on_push), self._host, self._port)
            try:
                await wire.send(("HELLO", 3, "AUTH", self._username, self._password()))
                if self._database:
                    await wire.send(("SELECT", self._database))
                await wire.send(("SUBSCRIBE", self._channel))
            except BaseException:
                wire.close()
                raise
        return wire


class _Wire(asyncio.Protocol):
    """One TCP connection: replies in the order of commands, pushes between them."""

    def __init__(self, on_push: Callable[[bytes], None]) -> None:
        self._reader = hiredis.Reader()
        self._on_push = on_push
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class is not derived from it

    def send(self, parts: tuple[Part, ...]) -> "asyncio.Future[Any]":
        """Write a command now; replies resolve in order."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            future.set_exception(RedisAwayError("the connection to Redis is closing"))
            return future
        self._waiting.append((future, self._loop.time()))
        self._transport.write(_pack(parts))
        return future

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False:
                self._take(reply)
        except hiredis.ProtocolError as error:
            log.error("Redis sent what is no RESP3: %s", error)
            self.close()

    def _take(self, reply: Any) -> None:
        if isinstance(reply, hiredis.PushNotification):
            if reply[0] == b"message":
                self._on_push(bytes(reply[2]))
                return
            if reply[0] != b"subscribe":
                return
        if not self._waiting:
            return
        future, _ = self._waiting.popleft()
        if future.done():
            return
        if isinstance(reply, hiredis.ReplyError):
            future.set_exception(RedisRefusedError(str(reply)))
        else:
            future.set_result(reply)

    def connection_lost(self, _exc: Exception | None) -> None:
        for future, _ in self._waiting:
            if not future.done():
                future.set_exception(RedisAwayError("the connection to Redis broke"))
                future.exception()  # nobody may be waiting any more: then there is nothing to report
        self._waiting.clear()
        if not self._ended.done():
            self._ended.set_result(None)

    async def watch(self) -> None:
        """Until the connection ends or stops answering."""
        while not self._ended.done():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._ended), 1.0)
            if self._waiting and self._loop.time() - self._waiting[0][1] > ANSWER_TIMEOUT_S:
                log.warning("Redis does not answer; reconnecting")
                self.close()

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()
