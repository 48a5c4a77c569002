"""The client side of the simulator's clock socket (`contracts/world.py`): beats in, `Idle` out.

A lost socket is opened again with back-off; until then the market stands still for this account, or leaves it behind.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
from algo_crds.contracts import world

log: Final = logging.getLogger("algo_gateway.world")
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=3)


class WorldClock:
    """The connection to the world's clock.

    Args:
        url: the clock socket with its query (`account` and `broker`, or `world`).
        token_file: the simulator's control token.
        on_message: every message of the world, in order.
    """

    def __init__(
        self, *, url: str, token_file: Path | None, name: str, on_message: Callable[[world.ToParticipant], None]
    ) -> None:
        self._url = url
        self._token_file = token_file
        self._name = name
        self._on_message = on_message
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._symbols: tuple[str, ...] = ()
        self._outbox: asyncio.Queue[world.FromParticipant] = asyncio.Queue()

    def idle(self, *, seq: int, in_flight: int, wake_at: int | None) -> None:
        """Answer a round."""
        self._outbox.put_nowait(world.Idle(seq=seq, in_flight=in_flight, wake_at=wake_at))

    def watch(self, symbols: tuple[str, ...]) -> None:
        """Ask for the ticks of these symbols (`EXCHANGE:SYMBOL`); for source sockets only."""
        self._symbols = symbols
        self._outbox.put_nowait(world.Watch(symbols=symbols))

    async def run(self) -> None:
        """Keep the socket open until cancelled."""
        pause = _FIRST_PAUSE_S
        async with aiohttp.ClientSession(trust_env=False, timeout=_TIMEOUT) as session:
            while True:
                try:
                    await self._serve(session)
                    pause = _FIRST_PAUSE_S
                except (aiohttp.ClientError, OSError, TimeoutError, msgspec.DecodeError) as error:
                    log.warning("the market's clock: %s; trying again", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _serve(self, session: aiohttp.ClientSession) -> None:
        headers = {}
        if self._token_file is not None:
            headers["Authorization"] = f"Bearer {self._token_file.read_text().strip()}"
        async with session.ws_connect(self._url, headers=headers, heartbeat=10, max_msg_size=2**20) as socket:
            while not self._outbox.empty():
                self._outbox.get_nowait()
            join = world.Join(name=self._name, symbols=self._symbols)
            await socket.send_str(world.encode(join).decode())
            sender = asyncio.create_task(self._send(socket))
            try:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        self._on_message(world.decode_to_participant(message.data))
            finally:
                sender.cancel()

    async def _send(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            message = await self._outbox.get()
            await socket.send_str(world.encode(message).decode())
