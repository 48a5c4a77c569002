"""A Dhan session with canaries for secrets, answers as the broker documents them, and the adapter at a stand-in."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.dhan.names import Words, pack
from algo_brokers.http import HttpAnswer
from algo_brokers.port import Broker
from algo_brokers.records import BrokerInstrument, InstrumentRef
from algo_brokers.registry import adapter_of
from algo_brokers.session import Session
from broker_stand import Ear, Stand, open_stand
from order_samples import new_order, order_ref

CLIENT = "1000000003"
CANARY = "canarytoken42"
SECRET = "canarysecret43"
KEY = "canarykey41"
HELD = Session(broker="dhan", client_id=CLIENT, api_key=KEY, access_token=CANARY, login_time=0, valid_until=1)
TAG = "a12345678abce001"
HDFC = InstrumentRef(exchange="NSE", symbol="HDFCBANK", token=pack("NSE_EQ", 1333), broker_symbol="HDFCBANK")
NIFTY = InstrumentRef(exchange="NSE", symbol="NIFTY 50", token=pack("IDX_I", 13), broker_symbol="NIFTY")
OPTION = InstrumentRef(
    exchange="NFO", symbol="NIFTY26NOV26000CE", token=pack("NSE_FNO", 49081), broker_symbol="NIFTY-Nov2026-26000-CE"
)
ORDER = new_order(instrument=HDFC)

__all__ = [
    "CANARY",
    "CLIENT",
    "HDFC",
    "HELD",
    "KEY",
    "NIFTY",
    "OPTION",
    "ORDER",
    "SECRET",
    "TAG",
    "Ear",
    "Stand",
    "answer",
    "error",
    "handler",
    "instrument",
    "order",
    "order_ref",
    "refusing",
    "stand",
    "words",
]


def answer(status: int, body: object) -> HttpAnswer:
    """An answer as the transport hands it over."""
    return HttpAnswer(status, "application/json", json.dumps(body).encode())


def error(status: int, code: str, message: str = "something") -> HttpAnswer:
    """The documented error."""
    return answer(status, {"errorType": "Order_Error", "errorCode": code, "errorMessage": message})


def order(**changes: Any) -> dict[str, Any]:
    """An order of the book, all keys, with changes."""
    return {
        "dhanClientId": CLIENT,
        "orderId": "312611234433",
        "exchangeOrderId": "1300000000123456",
        "correlationId": TAG,
        "orderStatus": "PENDING",
        "transactionType": "BUY",
        "exchangeSegment": "NSE_EQ",
        "productType": "INTRADAY",
        "orderType": "LIMIT",
        "validity": "DAY",
        "tradingSymbol": "HDFCBANK",
        "securityId": "1333",
        "quantity": 10,
        "disclosedQuantity": 0,
        "price": 1605.5,
        "triggerPrice": 0.0,
        "afterMarketOrder": False,
        "boProfitValue": 0.0,
        "boStopLossValue": 0.0,
        "legName": "NA",
        "createTime": "2026-11-23 09:20:11",
        "updateTime": "2026-11-23 09:20:11",
        "exchangeTime": "2026-11-23 09:20:12",
        "drvExpiryDate": "0001-01-01",
        "drvOptionType": "NA",
        "drvStrikePrice": 0.0,
        "omsErrorCode": "0",
        "omsErrorDescription": "",
        "algoId": "0",
        "remainingQuantity": 10,
        "averageTradedPrice": 0.0,
        "filledQty": 0,
        **changes,
    }


def instrument(**changes: Any) -> BrokerInstrument:
    """HDFCBANK of the day's list, with changes."""
    values: dict[str, Any] = {
        "exchange": "NSE",
        "symbol": "HDFCBANK",
        "token": HDFC.token,
        "name": "HDFC Bank",
        "tick_size": 500,
        "lot": 1,
        "kind": "EQ",
        "broker_symbol": "HDFCBANK",
    }
    return BrokerInstrument(**{**values, **changes})


def words(*listing: BrokerInstrument, **kinds: str) -> Words:
    """What the adapter knows after it has read this list."""
    known = Words()
    known.learn(listing, {int(token[1:]): kind for token, kind in kinds.items()})
    return known


def handler(*answers: HttpAnswer) -> Any:
    """Serves these answers in turn, the last one for ever."""
    left = list(answers)

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        one = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=one.status, body=one.body, content_type=one.content_type)

    return handle


async def refusing(stand: Stand, status: bytes) -> tuple[asyncio.Server, Broker, list[bytes]]:
    """A server that refuses every handshake, an adapter that points at it, and what it was asked."""
    asked: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    adapter = adapter_of("dhan")
    endpoints = adapter.simulated(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    return server, adapter.create_broker(dataclasses.replace(stand.parts, endpoints=endpoints)), asked


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with open_stand(adapter_of("dhan"), HELD) as opened:
        yield opened
