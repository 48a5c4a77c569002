"""Plays one scripted day with the official SDK, REST and socket together. The market moves when this process asks."""

import datetime
import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from kiteconnect import KiteConnect, KiteTicker
from kiteconnect import exceptions as ex

ROOT = sys.argv[1]
KEY, SECRET = "simkey0001", "simsecret99"
RELIANCE, TCS, FUTURE, NIFTY = 738561, 2953217, 16410370, 256265
OPEN = 1754019900  # 2025-08-01 09:15:00 in India
steps: list[str] = []


def until(seconds: float) -> None:
    """Let the market run on to so many seconds after 09:15."""
    print(json.dumps({"until": int((OPEN + seconds) * 1000)}), flush=True)
    sys.stdin.readline()


def paced(call: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """The call, again after a while where it was over the second's limit."""
    for _ in range(20):
        try:
            return call(*args, **named)
        except ex.NetworkException as error:
            assert error.code == 429, error
            time.sleep(0.3)
    raise AssertionError("over the limit for too long")


def soon(condition: Callable[[], bool], what: str) -> None:
    """Wait for what another thread brings."""
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"never came: {what}")


def refused(kind: type[Exception], code: int, text: str, call: Callable[..., Any], *args: Any, **named: Any) -> None:
    try:
        paced(call, *args, **named)
    except kind as error:
        assert (error.code, text in str(error)) == (code, True), (error.code, str(error))
        return
    raise AssertionError(f"{kind.__name__} expected")


class Feed:
    """The socket client in its own thread."""

    def __init__(self, kite: KiteConnect) -> None:
        self.ticks: dict[int, list[dict[str, Any]]] = {}
        self.orders: list[dict[str, Any]] = []
        self.up = threading.Event()
        self.ticker = KiteTicker(KEY, kite.access_token, root=ROOT.replace("http", "ws", 1))
        self.ticker.on_connect = self._connected
        self.ticker.on_ticks = self._ticked
        self.ticker.on_order_update = lambda _, data: self.orders.append(data)
        self.ticker.connect(threaded=True)

    def _connected(self, ws: KiteTicker, _: object) -> None:
        ws.subscribe([RELIANCE, TCS, FUTURE, NIFTY])
        ws.set_mode(ws.MODE_FULL, [RELIANCE, NIFTY])
        ws.set_mode(ws.MODE_LTP, [FUTURE])
        self.up.set()

    def _ticked(self, _: object, ticks: list[dict[str, Any]]) -> None:
        for tick in ticks:
            self.ticks.setdefault(tick["instrument_token"], []).append(tick)

    def updates(self, order_id: str) -> list[str]:
        return [o["status"] for o in list(self.orders) if o["order_id"] == order_id]


def login() -> KiteConnect:
    kite = KiteConnect(api_key=KEY, root=ROOT)
    kite._default_login_uri = f"{ROOT}/connect/login"
    answer = requests.get(kite.login_url(), allow_redirects=False, timeout=5)
    token = parse_qs(urlsplit(answer.headers["Location"]).query)["request_token"][0]
    refused(ex.TokenException, 403, "checksum", kite.generate_session, token, api_secret="wrong")
    kite.generate_session(token, api_secret=SECRET)
    assert kite.profile()["broker"] == "ZERODHA"
    return kite


def instruments(kite: KiteConnect) -> None:
    listed = {(row["exchange"], row["tradingsymbol"]): row for row in paced(kite.instruments)}
    assert listed["NSE", "RELIANCE"]["instrument_token"] == RELIANCE
    assert (listed["NSE", "RELIANCE"]["tick_size"], listed["NSE", "RELIANCE"]["exchange_token"]) == (0.1, "2885")
    future = listed["NFO", "NIFTY25AUGFUT"]
    assert (future["instrument_token"], future["lot_size"], future["segment"]) == (FUTURE, 75, "NFO-FUT")
    assert future["expiry"] == datetime.date(2025, 8, 28)
    assert listed["NFO", "NIFTY2580724500CE"]["strike"] == 24500
    assert {row["exchange"] for row in paced(kite.instruments, "NFO")} == {"NFO"}


def quotes(kite: KiteConnect) -> None:
    names = ["NSE:RELIANCE", "NFO:NIFTY25AUGFUT", "NSE:NIFTY 50", "NSE:NOPE"]
    full = paced(kite.quote, names)
    assert sorted(full) == sorted(names[:3])
    share = full["NSE:RELIANCE"]
    assert (share["last_price"], share["ohlc"]["close"], share["net_change"]) == (1400.0, 1390.0, 10.0)
    assert (share["lower_circuit_limit"], share["upper_circuit_limit"]) == (1251.0, 1529.0)
    assert isinstance(share["timestamp"], datetime.datetime)
    assert [len(share["depth"][side]) for side in ("buy", "sell")] == [5, 5]
    assert {level["quantity"] for level in full["NSE:NIFTY 50"]["depth"]["buy"]} == {0}
    assert paced(kite.ohlc, names[0])[names[0]]["ohlc"]["high"] == 1401.0
    assert paced(kite.ltp, *names[:2])[names[1]]["last_price"] == 24600.0


def candles(kite: KiteConnect) -> None:
    for interval in ("minute", "3minute", "5minute", "10minute", "15minute", "30minute", "60minute", "day"):
        bars = paced(kite.historical_data, RELIANCE, "2025-08-01 09:00:00", "2025-08-01 15:30:00", interval)
        assert len(bars) == 1, (interval, bars)
        assert (bars[0]["open"], bars[0]["high"], bars[0]["close"]) == (1401.0, 1401.0, 1400.0), bars
        assert (bars[0]["date"].hour, bars[0]["date"].minute) == ((0, 0) if interval == "day" else (9, 15))
    bars = paced(kite.historical_data, FUTURE, "2025-08-01", "2025-08-02", "minute", oi=True)
    assert bars[0]["oi"] == 0
    refused(ex.InputException, 400, "interval", kite.historical_data, RELIANCE, "2025-08-01", "2025-08-02", "2minute")
    refused(ex.InputException, 400, "max limit", kite.historical_data, RELIANCE, "2025-01-01", "2025-08-02", "minute")


def place(kite: KiteConnect, **changes: object) -> str:
    order = {
        "variety": "regular",
        "exchange": "NSE",
        "tradingsymbol": "RELIANCE",
        "transaction_type": "BUY",
        "quantity": 10,
        "product": "MIS",
        "order_type": "LIMIT",
        "price": 1395.0,
        **changes,
    }
    return str(paced(kite.place_order, **order))


def last_row(kite: KiteConnect, order_id: str) -> dict[str, Any]:
    return dict(paced(kite.order_history, order_id)[-1])


def orders(kite: KiteConnect, feed: Feed) -> str:
    """Place, modify, cancel, buy, protect; returns the resting stop."""
    resting = place(kite, tag="rest")
    assert last_row(kite, resting)["status"] == "OPEN"
    paced(kite.modify_order, "regular", resting, price=1396.0, quantity=20)
    assert (last_row(kite, resting)["price"], last_row(kite, resting)["pending_quantity"]) == (1396.0, 20)
    paced(kite.cancel_order, "regular", resting)
    soon(lambda: feed.updates(resting) == ["OPEN", "UPDATE", "OPEN", "CANCELLED"], f"{feed.updates(resting)}")
    bought = place(kite, price=1402.0, tag="entry")
    assert (last_row(kite, bought)["status"], last_row(kite, bought)["average_price"]) == ("COMPLETE", 1400.0)
    stop = place(kite, transaction_type="SELL", order_type="SL", price=1380.0, trigger_price=1390.0, tag="stop")
    assert last_row(kite, stop)["status"] == "TRIGGER PENDING"
    paced(kite.modify_order, "regular", stop, trigger_price=1392.0)
    found = [o["order_id"] for o in paced(kite.orders) if o["tag"] == "stop"]
    assert found == [stop]
    assert paced(kite.positions)["net"][0]["quantity"] == 10
    lots = place(kite, exchange="NFO", tradingsymbol="NIFTY25AUGFUT", product="NRML", quantity=75, price=24600.0)
    row = last_row(kite, lots)
    assert (row["status"], row["product"]) == ("REJECTED", "NRML"), row
    assert "Margin Exceeds" in row["status_message_raw"]
    return stop


def leg(price: float, side: str = "SELL") -> dict[str, object]:
    return {"transaction_type": side, "quantity": 5, "order_type": "LIMIT", "product": "CNC", "price": price}


def triggers(kite: KiteConnect) -> tuple[int, int]:
    """GTT: single, two-leg, changed, deleted; returns one that will fire and its neighbour."""
    base = ("RELIANCE", "NSE")
    gone = paced(kite.place_gtt, kite.GTT_TYPE_SINGLE, *base, [1350.0], 1400.0, [leg(1349.0)])["trigger_id"]
    changed = paced(kite.modify_gtt, gone, kite.GTT_TYPE_SINGLE, *base, [1355.0], 1400.0, [leg(1354.0)])
    assert changed["trigger_id"] == gone
    assert paced(kite.get_gtt, gone)["condition"]["trigger_values"] == [1355.0]
    paced(kite.delete_gtt, gone)
    two = paced(kite.place_gtt, kite.GTT_TYPE_OCO, *base, [1370.0, 1410.0], 1400.0, [leg(1369.0), leg(1409.0)])
    wait = paced(kite.place_gtt, kite.GTT_TYPE_SINGLE, *base, [1300.0], 1400.0, [leg(1299.0)])
    refused(
        ex.InputException,
        400,
        "equal to the last price",
        kite.place_gtt,
        "single",
        *base,
        [1400.0],
        1400,
        [leg(1399.0)],
    )
    refused(
        ex.InputException,
        400,
        "second trigger",
        kite.place_gtt,
        "two-leg",
        *base,
        [1300.0, 1350.0],
        1400,
        [leg(1299.0)] * 2,
    )
    states = {row["id"]: row["status"] for row in paced(kite.get_gtts)}
    assert states == {gone: "deleted", two["trigger_id"]: "active", wait["trigger_id"]: "active"}, states
    return two["trigger_id"], wait["trigger_id"]


def after_stop(kite: KiteConnect, feed: Feed, stop: str) -> None:
    row = last_row(kite, stop)
    assert (row["status"], row["average_price"]) == ("COMPLETE", 1391.0), row
    position = paced(kite.positions)["day"][0]
    assert (position["quantity"], round(position["pnl"], 2)) == (0, -90.0), position
    assert [t["average_price"] for t in paced(kite.order_trades, stop)] == [1391.0]
    assert [t["transaction_type"] for t in paced(kite.trades)] == ["BUY", "SELL"]
    soon(lambda: feed.updates(stop)[-1:] == ["COMPLETE"], "the stop's update")
    update = feed.orders[-1]
    proof = hashlib.sha256(f"{update['order_id']}{update['order_timestamp']}{SECRET}".encode()).hexdigest()
    assert (update["checksum"], update["unfilled_quantity"], update["tag"]) == (proof, 0, "stop")


def after_trigger(kite: KiteConnect, fired: int, waiting: int) -> None:
    row = paced(kite.get_gtt, fired)
    results = [order["result"] for order in row["orders"]]
    assert (row["status"], results[0]) == ("triggered", None), row
    assert (results[1]["triggered_at"], results[1]["order_result"]["status"]) == (1411.0, "success")
    child = last_row(kite, results[1]["order_result"]["order_id"])
    assert (child["status"], child["product"], child["average_price"]) == ("COMPLETE", "CNC", 1411.0), child
    assert paced(kite.get_gtt, waiting)["status"] == "active"
    holding = paced(kite.holdings)[0]
    assert (holding["quantity"], holding["used_quantity"], holding["isin"]) == (95, 5, "INE002A01018"), holding
    assert holding["pnl"] == (1411.0 - 1200.0) * 95


def ticks(feed: Feed) -> None:
    share, future, index = (feed.ticks[token][-1] for token in (RELIANCE, FUTURE, NIFTY))
    quote = feed.ticks[TCS][-1]
    assert (share["mode"], quote["mode"], future["mode"], index["mode"]) == ("full", "quote", "ltp", "full")
    assert share["ohlc"] == {"open": 1401.0, "high": 1411.0, "low": 1391.0, "close": 1390.0}, share
    assert [len(share["depth"][side]) for side in ("buy", "sell")] == [5, 5]
    assert (quote["last_price"], quote["ohlc"]["close"], "depth" in quote) == (3000.0, 2990.0, False)
    assert set(future) == {"tradable", "mode", "instrument_token", "last_price"}
    assert (index["tradable"], index["ohlc"]["low"], "depth" in index) == (False, 24500.0, False)
    assert isinstance(index["exchange_timestamp"], datetime.datetime)


def errors(kite: KiteConnect) -> None:
    bad = KiteConnect(api_key=KEY, access_token="wrong", root=ROOT)
    expired: list[bool] = []
    bad.set_session_expiry_hook(lambda: expired.append(True))
    refused(ex.TokenException, 403, "access_token", bad.orders)
    assert expired == [True]
    refused(ex.InputException, 400, "does not exist", lambda: place(kite, tradingsymbol="NOPE"))
    refused(ex.InputException, 400, "market protection", lambda: place(kite, order_type="SL-M", trigger_price=1390.0))
    refused(ex.OrderException, 404, "order_id", kite.order_history, "1")
    refused(ex.InputException, 400, "not simulated", kite.mf_orders)
    codes = []
    for _ in range(30):
        try:
            kite.trades()
        except ex.NetworkException as error:
            codes.append((error.code, str(error)))
    assert (429, "Too many requests") in codes
    assert paced(kite.margins, "equity")["net"] == 1_000_000 - 90 + 5 * 1411
    assert paced(kite.invalidate_access_token) is True
    refused(ex.TokenException, 403, "access_token", kite.profile)


def main() -> None:
    until(-30)
    kite = login()
    steps.append("login")
    feed = Feed(kite)
    assert feed.up.wait(10)
    refused(ex.InputException, 400, "Markets are closed", lambda: place(kite))
    until(5)
    for step in (instruments, quotes, candles):
        step(kite)
        steps.append(step.__name__)
    stop = orders(kite, feed)
    steps.append("orders")
    fired, waiting = triggers(kite)
    steps.append("gtt")
    until(21)
    after_stop(kite, feed, stop)
    steps.append("stop")
    until(31)
    after_trigger(kite, fired, waiting)
    steps.append("holdings")
    soon(lambda: len(feed.ticks.get(RELIANCE, [])) > 25, "ticks")
    ticks(feed)
    steps.append("ticks")
    errors(kite)
    steps.append("errors")
    print(json.dumps({"ok": True, "steps": steps}), flush=True)
    os._exit(0)  # The SDK's reactor thread never ends.


main()
