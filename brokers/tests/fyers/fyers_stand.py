"""A Fyers session with canaries for secrets, answers in the broker's form, and the adapter at a stand-in server."""

import asyncio
import base64
import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.http import HttpAnswer
from algo_brokers.port import Feed
from algo_brokers.records import InstrumentRef
from algo_brokers.registry import adapter_of
from algo_brokers.session import Session
from broker_stand import Ear, Stand, open_stand
from order_samples import new_order

APP = "CANARYAPP1-100"
KEY = "canaryhsmkey44"
SECRET = "canarysecret43"


def jwt(**claims: Any) -> str:
    """A token as the broker makes it, with these claims."""

    def part(values: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.c2lnbmF0dXJl"


TOKEN = jwt(exp=1795400000, hsm_key=KEY, fy_id="XS00001")
HELD = Session(
    broker="fyers",
    client_id="XS00001",
    api_key=APP,
    access_token=TOKEN,
    login_time=0,
    valid_until=1795400000_000,
    feed_token=KEY,
)
SBIN = InstrumentRef(exchange="NSE", symbol="SBIN", token=10100000003045, broker_symbol="NSE:SBIN-EQ")
NIFTY = InstrumentRef(exchange="NSE", symbol="NIFTY 50", token=101000000026000, broker_symbol="NSE:NIFTY50-INDEX")
ORDER = new_order(instrument=SBIN, price=600_1000)

BOOK_ROW: dict[str, Any] = {
    "clientId": "XS00001",
    "id": "26112300000105",
    "exchOrdId": "1300000000123456",
    "qty": 10,
    "remainingQuantity": 6,
    "filledQty": 4,
    "limitPrice": 600.1,
    "stopPrice": 0,
    "tradedPrice": 600.1,
    "type": 1,
    "fyToken": "10100000003045",
    "exchange": 10,
    "segment": 10,
    "symbol": "NSE:SBIN-EQ",
    "message": "",
    "orderDateTime": "23-Nov-2026 09:20:11",
    "orderValidity": "DAY",
    "productType": "INTRADAY",
    "side": 1,
    "status": 6,
    "orderTag": "1:a12345678abce001",
}
SOCKET_ROW: dict[str, Any] = {
    "client_id": "XS00001",
    "exchange": 10,
    "fy_token": "10100000003045",
    "id": "26112300000105",
    "id_exchange": "1300000000123456",
    "oms_msg": "",
    "ord_source": "ITS",
    "ord_status": 20,
    "org_ord_status": 6,
    "ord_type": 1,
    "ordertag": "1:a12345678abce001",
    "price_limit": 600.1,
    "price_stop": 0,
    "price_traded": 0,
    "product_type": "INTRADAY",
    "qty": 10,
    "qty_filled": 0,
    "qty_remaining": 10,
    "segment": 10,
    "symbol": "NSE:SBIN-EQ",
    "time_oms": "23-Nov-2026 09:20:11",
    "tran_side": 1,
}
GTT_ROW: dict[str, Any] = {
    "id": "26112300000777",
    "exchange": 10,
    "segment": 10,
    "symbol": "NSE:SBIN-EQ",
    "product_type": "CNC",
    "tran_side": -1,
    "ord_status": 6,
    "gtt_oco_ind": 2,
    "qty": 10,
    "price_limit": 640.0,
    "price_trigger": 641.0,
    "qty2": 10,
    "price2_limit": 559.5,
    "price2_trigger": 560.0,
    "create_time": "23-Nov-2026 10:02:03",
    "oms_msg": "",
}

AUTH_OK = bytes.fromhex("000d010201" + "00014b" + "02000400000000")
AUTH_NO = bytes.fromhex("000d010201" + "00014e" + "02000400000000")
ORDERS_OK = '{"code":1605,"message":"Successfully subscribed","s":"ok"}'

__all__ = ["Ear", "Stand", "stand"]


def body(**payload: Any) -> bytes:
    """A good answer's body."""
    return json.dumps({"s": "ok", "code": 200, "message": "", **payload}).encode()


def answer(status: int = 200, /, **payload: Any) -> HttpAnswer:
    """An answer as a value."""
    return HttpAnswer(status, "application/json", json.dumps(payload).encode())


def error(code: int | None, message: str = "", status: int = 400) -> HttpAnswer:
    """A refusal in the broker's form."""
    return answer(status, s="error", code=code, message=message)


def ok(**payload: Any) -> web.Response:
    """A good answer of the stand-in server."""
    return web.Response(body=body(**payload), content_type="application/json")


def snapshot(number: int, topic: str, values: list[int], *, multiplier: int = 1, precision: int = 2) -> bytes:
    """An item of a data frame that tells a topic and all of its values."""
    name = topic.encode()
    item = struct.pack(">cHB", b"S", number, len(name)) + name + struct.pack(">B", len(values))
    item += struct.pack(f">{len(values)}i", *values) + struct.pack(">2xHB", multiplier, precision)
    for text in (b"NSE", b"3045", b"SBIN-EQ"):
        item += bytes([len(text)]) + text
    return item


def update(number: int, values: list[int]) -> bytes:
    """An item that tells what changed."""
    return struct.pack(">cHB", b"U", number, len(values)) + struct.pack(f">{len(values)}i", *values)


def lite(number: int, price: int) -> bytes:
    """An item that tells a last price."""
    return struct.pack(">cHi", b"L", number, price)


def data_frame(message: int, *items: bytes) -> bytes:
    """A data frame of items."""
    content = struct.pack(">BIH", 6, message, len(items)) + b"".join(items)
    return struct.pack(">H", len(content)) + content


async def serve_no_files(request: web.Request) -> web.StreamResponse:
    """There is no file of index names."""
    return web.Response(status=404)


async def open_ready(stand: Stand, ear: Ear, auth: bytes = AUTH_OK, orders: str = ORDERS_OK) -> Feed:
    """The feed of a server that answers both logins."""
    if stand.handler is None:
        stand.handler = serve_no_files
    before = len(stand.seen)
    opening = asyncio.create_task(stand.broker.open_feed(listener=ear))
    await stand.until(before + 6)  # the file, two handshakes, login, mode, order subscription
    market, updates = stand.sockets[-2:]
    await market.send_bytes(auth)
    await updates.send_str(orders)
    return await opening


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with open_stand(adapter_of("fyers"), HELD) as opened:
        yield opened
