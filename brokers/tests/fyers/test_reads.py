"""Reads over real sockets: whatever fails is an error, never an empty answer."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from algo_brokers.errors import (
    AddressRefused,
    BadAnswer,
    BrokerError,
    BrokerUnavailable,
    RequestRefused,
    SessionRefused,
    TooManyRequests,
)
from algo_brokers.fyers import limits, price_reads
from algo_brokers.records import InstrumentRef, Interval
from algo_brokers.registry import adapter_of
from fyers_stand import BOOK_ROW, NIFTY, ORDER, SBIN, Ear, Stand, ok

MINUTE = 60_000


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What a read waited between its calls, in seconds; nobody really waits."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(price_reads, "sleep", sleep)
    return waited


async def test_reads(stand: Stand, pauses: list[float]) -> None:
    asked: list[str] = []
    answers: dict[str, dict[str, Any]] = {
        "/api/v3/orders": {"orderBook": [BOOK_ROW, {**BOOK_ROW, "id": "2", "orderTag": "1:other"}]},
        "/api/v3/tradebook": {"tradeBook": []},
        "/api/v3/positions": {"netPositions": []},
        "/api/v3/holdings": {"holdings": []},
        "/api/v3/funds": {"fund_limit": [{"id": 10, "equityAmount": 1.5}]},
        "/api/v3/multiorder/margin": {"data": {"margin_new_order": 2.5}},
        "/data/quotes": {"d": [{"n": "NSE:SBIN-EQ", "s": "ok", "v": {"lp": 600.5}}]},
        "/data/depth": {"d": {"NSE:SBIN-EQ": {"ltp": 600.5, "upper_ckt": 657.8}}},
        "/data/history": {"candles": [[0, 1, 1, 1, 1, 1], [60, 1, 1, 1, 1, 1]]},
    }

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request.path_qs)
        return ok(**answers[request.path])

    stand.handler = handle
    broker = stand.broker
    assert [row.read_at for row in await broker.read_book(begun_at=9)] == [9, 9]
    assert len(await broker.read_order(broker_order_id="2", begun_at=0)) == 1
    (tagged,) = await broker.read_by_tag(tag="A12345678ABCE001", begun_at=0)
    assert tagged.broker_order_id == BOOK_ROW["id"]
    assert await broker.read_trades() == ()
    assert await broker.read_positions() == ()
    assert await broker.read_holdings() == ()
    assert (await broker.read_funds()).available == 15000
    assert (await broker.read_margin(orders=(ORDER,))).required == 25000
    assert await broker.read_ltp(instruments=(SBIN,)) == {("NSE", "SBIN"): 600_5000}
    (quote,) = await broker.read_quotes(instruments=(SBIN, NIFTY))
    assert quote.band_high == 657_8000
    assert asked[-2:] == [
        "/data/depth?symbol=NSE%3ASBIN-EQ&ohlcv_flag=1",
        "/data/depth?symbol=NSE%3ANIFTY50-INDEX&ohlcv_flag=1",
    ]
    many = (SBIN, NIFTY, *(InstrumentRef(exchange="NSE", symbol=f"S{number}") for number in range(60)))
    assert [one.symbol for one in await broker.read_quotes(instruments=many)] == ["SBIN"]
    assert [one.split("?")[0] for one in asked[-2:]] == ["/data/quotes"] * 2
    assert asked[-2].count("NSE%3A") == limits.QUOTES_PER_CALL
    assert pauses == [limits.CALL_PAUSE_S] * 2  # one read of two depths, one of two times fifty quotes


async def test_bars_of_a_long_time_take_several_calls(stand: Stand, pauses: list[float]) -> None:
    asked: list[tuple[int, int]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        first, last = int(request.query["range_from"]), int(request.query["range_to"])
        asked.append((first, last))
        if len(asked) == 2:
            return ok(s="no_data", candles=[])
        return ok(candles=[[first, 1, 1, 1, 1, 1], [last // 60 * 60, 2, 2, 2, 2, 2], [0, 1, 1, 1, 1, 1]])

    stand.handler = handle
    broker = adapter_of("fyers").create_broker(replace(stand.parts, now=lambda: 250 * 86_400_000))
    bars = await broker.read_candles(instrument=SBIN, start=0, end=10**15, interval=Interval.MINUTE)
    assert [call[0] for call in asked] == [0, 100 * 86_400, 200 * 86_400]
    assert asked[-1][1] == 250 * 86_400
    assert pauses == [limits.CALL_PAUSE_S] * 2
    times = [bar.time for bar in bars]
    assert times == sorted(set(times))
    assert all(time + MINUTE <= 250 * 86_400_000 for time in times)


async def test_the_instrument_list_as_json_or_csv(stand: Stand) -> None:
    files: dict[str, web.Response] = {}
    auth: set[str | None] = set()
    line = "10100000003045,SBI,0,1,0.05,INE062A01020,0915-1530:,2026-11-23,,NSE:SBIN-EQ,10,10,3045,SBIN,3045,-1.0,XX,1"

    async def handle(request: web.Request) -> web.StreamResponse:
        auth.add(request.headers.get("Authorization"))
        return files.get(request.path.rpartition("/")[2]) or web.Response(status=404)

    stand.handler = handle
    stand.session = None  # the file is public
    files["NSE_CM.csv"] = web.Response(text=line)
    (one,) = await stand.broker.read_instruments(exchange="NSE")
    assert one.ref == InstrumentRef(exchange="NSE", symbol="SBIN", token=10100000003045, broker_symbol="NSE:SBIN-EQ")
    assert stand.seen == [
        "GET /files/sym_details/NSE_CM_sym_master.json",
        "GET /files/sym_details/NSE_CM.csv",
    ]
    entry = {"fyToken": "10100000003045", "exchange": 10, "segment": 10, "minLotSize": 1, "tickSize": 0.05}
    files["NSE_CM_sym_master.json"] = web.json_response({"NSE:SBIN-EQ": {**entry, "qtyFreeze": 7}})
    (one,) = await stand.broker.read_instruments(exchange="NSE")
    assert one.freeze == 7
    files["NSE_CM_sym_master.json"] = web.Response(status=500)
    with pytest.raises(BrokerUnavailable):
        await stand.broker.read_instruments(exchange="NSE")
    with pytest.raises(BrokerUnavailable):
        await stand.broker.read_instruments(exchange="BSE")
    with pytest.raises(RequestRefused):
        await stand.broker.read_instruments(exchange="NYSE")
    assert auth == {None}


@pytest.mark.parametrize(
    ("status", "body", "raised"),
    [
        (200, {"s": "error", "code": -16, "message": "over"}, SessionRefused),
        (429, {"s": "error", "code": -429, "message": "slow"}, TooManyRequests),
        (403, {}, AddressRefused),
        (502, {}, BrokerUnavailable),
        (200, {"s": "ok", "code": 200}, BadAnswer),
        (200, {"s": "ok", "orderBook": [{}]}, BadAnswer),
        (400, {"s": "error", "code": -50, "message": "bad"}, RequestRefused),
    ],
)
async def test_no_failure_is_an_empty_book(
    stand: Stand, status: int, body: dict[str, Any], raised: type[BrokerError]
) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    stand.handler = handle
    for read in (
        stand.broker.read_book(begun_at=0),
        stand.broker.read_by_tag(tag="a", begun_at=0),
        stand.broker.read_order(broker_order_id="1", begun_at=0),
    ):
        with pytest.raises(raised):
            await read
    assert stand.over == ([1, 1, 1] if raised is SessionRefused else [])


async def test_without_a_session_or_a_server(stand: Stand) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return ok()

    stand.handler = handle
    with pytest.raises(BrokerUnavailable):
        await stand.broker.read_book(begun_at=0)
    stand.session = None
    with pytest.raises(SessionRefused):
        await stand.broker.read_book(begun_at=0)
    with pytest.raises(SessionRefused):
        await stand.broker.open_feed(listener=Ear())
