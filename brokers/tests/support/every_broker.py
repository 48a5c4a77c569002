"""The four brokers' sessions and stand-ins side by side, for what must be the same at each."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import angelone_stand
import dhan_stand
import fyers_stand
import zerodha_stand
from aiohttp import web
from algo_brokers.port import Broker, Feed
from algo_brokers.records import NewOrder
from algo_brokers.registry import adapter_of
from algo_brokers.session import Session
from broker_stand import Ear, Stand, open_stand

HELD: dict[str, Session] = {
    "angelone": angelone_stand.HELD,
    "dhan": dhan_stand.HELD,
    "fyers": fyers_stand.HELD,
    "zerodha": zerodha_stand.HELD,
}
ORDER: dict[str, NewOrder] = {
    "angelone": angelone_stand.ORDER,
    "dhan": dhan_stand.ORDER,
    "fyers": fyers_stand.ORDER,
    "zerodha": zerodha_stand.ORDER,
}
BROKERS = sorted(HELD)


@asynccontextmanager
async def stand_of(broker: str) -> AsyncIterator[Stand]:
    """The broker's adapter at a stand-in server."""
    async with open_stand(adapter_of(broker), HELD[broker]) as opened:
        yield opened


async def ready(broker: str, stand: Stand, ear: Ear) -> Feed:
    """An open feed; where a broker answers a login on its sockets, it says yes."""
    return await (fyers_stand.open_ready(stand, ear) if broker == "fyers" else stand.broker.open_feed(listener=ear))


def pointed_at(broker: str, stand: Stand, port: int) -> Broker:
    """The same account's adapter at another port."""
    adapter = adapter_of(broker)
    endpoints = adapter.simulated(f"http://127.0.0.1:{port}")
    return adapter.create_broker(dataclasses.replace(stand.parts, endpoints=endpoints))


@asynccontextmanager
async def answering(head: bytes) -> AsyncIterator[int]:
    """A server that answers everything with this head; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


Refuse = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


async def refuse_zerodha(_: web.Request, text: str) -> web.StreamResponse:
    body: dict[str, Any] = {"status": "error", "error_type": "InputException", "message": text, "data": None}
    return web.json_response(body, status=400)


async def refuse_dhan(_: web.Request, text: str) -> web.StreamResponse:
    return web.json_response({"errorType": "x", "errorCode": "DH-905", "errorMessage": text}, status=400)


async def refuse_fyers(_: web.Request, text: str) -> web.StreamResponse:
    return web.json_response({"s": "error", "code": -99, "message": text}, status=400)


async def refuse_angelone(_: web.Request, text: str) -> web.StreamResponse:
    return web.json_response({"status": False, "message": text, "errorcode": "AB1008", "data": None})


REFUSE: dict[str, Refuse] = {
    "angelone": refuse_angelone,
    "dhan": refuse_dhan,
    "fyers": refuse_fyers,
    "zerodha": refuse_zerodha,
}
"""The broker's own refusal with this text."""
