"""`GET /clock` on the control port: how a participant joins a world's clock (`contracts/world.py`)."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from algo_crds.contracts.world import Idle, Join, Joined, Watch, decode_from_participant, encode

from algo_simulator.accounts import Account
from algo_simulator.clock import Clock, Message, Participant

LOG: Final = logging.getLogger(__name__)
_QUEUE: Final = 100_000


async def serve_clock(request: web.Request, clock: Clock, account: Account | None) -> web.StreamResponse:
    """Speak with one participant until it goes. Close code 1000 is a goodbye: the market does not wait for it."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    writer = asyncio.create_task(_write(socket, queue))
    participant: Participant | None = None

    def send(message: Message) -> None:
        if queue.qsize() < _QUEUE:
            queue.put_nowait(encode(message))

    try:
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            try:
                message = decode_from_participant(frame.data)
            except msgspec.MsgspecError as error:
                await socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=str(error).encode()[:100])
                break
            if isinstance(message, Join):
                # Ticks in band are for sources; an account reads them from its broker's socket.
                symbols = frozenset(message.symbols) if account is None else frozenset()
                participant = _join(clock, account, message.name, symbols, queue, send)
            elif participant is None:
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"the first message must be join")
                break
            elif isinstance(message, Watch) and account is None:
                participant.symbols = frozenset(message.symbols)
            elif isinstance(message, Idle):
                clock.idle(participant, message)
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
        if participant is not None:
            clock.leave(participant, goodbye=socket.close_code == WSCloseCode.OK)
    return socket


def _join(
    clock: Clock,
    account: Account | None,
    name: str,
    symbols: frozenset[str],
    queue: asyncio.Queue[bytes],
    send: Callable[[Message], None],
) -> Participant:
    world = clock.world
    prefix = f"account {account.spec.client_id}" if account is not None else "source"
    participant = Participant(f"{prefix} {name}", account, symbols, send)
    joined = Joined(
        world=world.name,
        now=world.now,
        day=world.spec.date.isoformat(),
        speed=world.speed,
        running=world.state == "running",
    )
    queue.put_nowait(encode(joined))
    clock.join(participant)
    LOG.info("%s joined world %s", participant.name, world.name)
    return participant


async def _write(socket: web.WebSocketResponse, queue: asyncio.Queue[bytes]) -> None:
    try:
        while True:
            await socket.send_frame(await queue.get(), WSMsgType.TEXT)
    except ConnectionError:
        LOG.info("a participant's clock connection is gone")
