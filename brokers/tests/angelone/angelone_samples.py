"""Rows, packets and lists in Angel One's documented forms, with values of our own."""

import json
from typing import Any

from algo_brokers.angelone.names import cash_symbol, pack
from algo_brokers.http import HttpAnswer
from algo_brokers.records import InstrumentRef
from algo_brokers.session import Session

DAY_MS = 1772391600_000 - 5 * 3600_000
"""2 March 2026, 00:30 in India (19:00 UTC of the day before)."""
AT = 1772428507_000
"""2 March 2026, 10:45:07 in India."""

RELIANCE = InstrumentRef(exchange="NSE", symbol="RELIANCE", token=pack(1, 2885), broker_symbol="RELIANCE-EQ")
CALL = InstrumentRef(
    exchange="NFO", symbol="NIFTY26MAR25000CE", token=pack(2, 48212), broker_symbol="NIFTY26MAR2625000CE"
)
TAG = "a12345678abcs001"

LTP = "0101323838350000000000000000000000000000000000000000000510000000000000f3b7f8ac9c0100003463040000000000"
QUOTE = (
    "0201323838350000000000000000000000000000000000000000000610000000000000f3b7f8ac9c01000034630400000000001900000000"
    "000000c06004000000000004fe1b000000000000000000302a194100000000785618413c5b0400000000000065040000000000e958040000"
    "0000007b5d040000000000"
)
SNAP = (
    "0302343832313200000000000000000000000000000000000000000710000000000000f3b7f8ac9c01000001310000000000004b00000000"
    "0000007a30000000000000aceb0d00000000000000000000f4ea4000000000c0f4ed40182e000000000000c832000000000000872d000000"
    "000000902e000000000000da1ca56900000000389c1c000000000000000000000000000100ee02000000000000fc30000000000000040001"
    "00dc05000000000000f730000000000000090001002c01000000000000f23000000000000002000100ca08000000000000ed300000000000"
    "000b0001004b00000000000000e83000000000000001000000e10000000000000006310000000000000300000058020000000000000b3100"
    "000000000005000000cf030000000000001031000000000000060000009600000000000000153100000000000002000000b80b0000000000"
    "001a310000000000000e00a861000000000000050000000000000028a0000000000000ac0d000000000000"
)
DEPTH_SHA256 = "c9bca655a8913a2d236d445e0bf3c3465956911839382f6ca4bd7dad774d0c7f"


def held(**changes: Any) -> Session:
    """A session without canaries."""
    values: dict[str, Any] = {
        "broker": "angelone",
        "client_id": "S000123",
        "api_key": "simkey0001",
        "access_token": "h.p.s",
        "login_time": 0,
        "valid_until": 1,
        "feed_token": "f.f.f",
        "refresh_token": "r.r.r",
    }
    return Session(**{**values, **changes})


def order(**changes: Any) -> dict[str, Any]:
    """A buy of five RELIANCE at 2,870.50, as the book shows it."""
    return {
        "variety": "NORMAL",
        "ordertype": "LIMIT",
        "producttype": "INTRADAY",
        "duration": "DAY",
        "price": 2870.5,
        "triggerprice": 0.0,
        "quantity": "5",
        "tradingsymbol": "RELIANCE-EQ",
        "transactiontype": "BUY",
        "exchange": "NSE",
        "symboltoken": "2885",
        "averageprice": 0.0,
        "filledshares": "0",
        "unfilledshares": "5",
        "orderid": "260302000012345",
        "text": "",
        "status": "open",
        "orderstatus": "open",
        "updatetime": "02-Mar-2026 10:45:07",
        "ordertag": TAG,
        "uniqueorderid": "5f0c1f7e-3d9a-4d1b-9a51-0c2a4d7e9b11",
        "exchangeorderid": "1100000012345678",
        **changes,
    }


def stop(**changes: Any) -> dict[str, Any]:
    """A resting stop of the same shares."""
    values = {
        "variety": "STOPLOSS",
        "ordertype": "STOPLOSS_LIMIT",
        "transactiontype": "SELL",
        "price": "2850.50",
        "triggerprice": "2860.05",
        "status": "trigger pending",
        "orderstatus": "trigger pending",
    }
    return order(**{**values, **changes})


def name_of(exchange: str, token: str, broker_symbol: str) -> str:
    """Names without a list."""
    return cash_symbol(exchange, broker_symbol)


def raw(value: Any) -> bytes:
    return json.dumps(value).encode()


def success(data: Any) -> HttpAnswer:
    """The success envelope."""
    body = {"status": True, "message": "SUCCESS", "errorcode": "", "data": data}
    return HttpAnswer(200, "application/json", raw(body))


def application_error(code: str, message: str, *, status: int = 200) -> HttpAnswer:
    """Shape 1."""
    body = {"status": False, "message": message, "errorcode": code, "data": None}
    return HttpAnswer(status, "application/json", raw(body))


def gateway_error(code: str, message: str, *, status: int = 200) -> HttpAnswer:
    """Shape 2."""
    body = {"success": False, "message": message, "errorCode": code, "data": ""}
    return HttpAnswer(status, "application/json", raw(body))


RATE = HttpAnswer(403, "text/plain", b"Access denied because of exceeding access rate")
PAGE = HttpAnswer(200, "text/html", b"<html><title>Request Rejected</title></html>")
EMPTY = HttpAnswer(400, "", b"")


def line(**changes: str) -> dict[str, Any]:
    """A line of the instrument list."""
    return {
        "token": "2885",
        "symbol": "RELIANCE-EQ",
        "name": "RELIANCE",
        "expiry": "",
        "strike": "-1.000000",
        "lotsize": "1",
        "instrumenttype": "",
        "exch_seg": "NSE",
        "tick_size": "10.000000",
        "freeze_qty": "50000",
        "is_cas_enabled": False,
        **changes,
    }


def option(**changes: str) -> dict[str, Any]:
    """An index option."""
    values = {
        "token": "48212",
        "symbol": "NIFTY26MAR2625000CE",
        "name": "NIFTY",
        "expiry": "26MAR2026",
        "strike": "2500000.000000",
        "lotsize": "75",
        "instrumenttype": "OPTIDX",
        "exch_seg": "NFO",
        "tick_size": "5.000000",
        "freeze_qty": "1800",
    }
    return line(**{**values, **changes})
