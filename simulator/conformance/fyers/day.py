"""Plays one scripted day with the official SDK, REST and both sockets together; the market moves when it asks."""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import hosts
import requests
from fyers_apiv3 import fyersModel

ROOT = sys.argv[1]
OPEN = 1754019900  # 2025-08-01 09:15:00 in India
SHARE, OTHER, INDEX = "NSE:RELIANCE-EQ", "NSE:TCS-EQ", "NSE:NIFTY50-INDEX"
FUTURE, OPTION = "NSE:NIFTY25AUGFUT", "NSE:NIFTY2580724500CE"
FUTURE_TOKEN, OPTION_TOKEN = "101125082864103", "101125080744261"
steps: list[str] = []


def until(seconds: float) -> None:
    """Let the market run on to so many seconds after 09:15."""
    print(json.dumps({"until": int((OPEN + seconds) * 1000)}), flush=True)
    sys.stdin.readline()


def paced(call: Callable[..., dict], *arguments: Any) -> dict:
    """The call, again after a while where it was over the second's limit."""
    for _ in range(20):
        answer = call(*arguments)
        if answer.get("code") != -429:
            return answer
        time.sleep(0.3)
    raise AssertionError("over the limit for too long")


def good(code: int, call: Callable[..., dict], *arguments: Any) -> dict:
    answer = paced(call, *arguments)
    assert (answer["s"], answer["code"]) == ("ok", code), answer
    return answer


def bad(code: int, call: Callable[..., dict], *arguments: Any) -> str:
    answer = paced(call, *arguments)
    assert (answer["s"], answer["code"]) == ("error", code), answer
    return answer["message"]


def soon(condition: Callable[[], bool], what: str) -> None:
    """Wait for what another thread brings."""
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"never came: {what}")


class Feed:
    """Both socket clients, in their own threads."""

    def __init__(self, token: str) -> None:
        self.ticks: dict[str, list[dict[str, Any]]] = {}
        self.controls: list[str] = []
        self.told: dict[str, list[dict[str, Any]]] = {"orders": [], "trades": [], "positions": []}
        self.trouble: list[object] = []
        self.market = hosts.data_socket(
            ROOT,
            access_token=token,
            log_path="",
            on_connect=lambda: None,
            on_message=self._ticked,
            on_error=self.trouble.append,
            on_close=self.trouble.append,
        )
        self.orders = hosts.order_socket(
            ROOT,
            access_token=token,
            log_path=".",
            on_connect=lambda: None,
            on_orders=lambda message: self.told["orders"].append(message["orders"]),
            on_trades=lambda message: self.told["trades"].append(message["trades"]),
            on_positions=lambda message: self.told["positions"].append(message["positions"]),
            on_general=lambda message: self.controls.append(message["message"]),
            on_error=self.trouble.append,
            on_close=self.trouble.append,
        )
        self.market.connect()
        self.orders.connect()
        self.market.subscribe([SHARE, OTHER, FUTURE, INDEX], "SymbolUpdate")
        self.market.subscribe([SHARE], "DepthUpdate")
        self.orders.subscribe("OnOrders,OnTrades,OnPositions,OnGeneral")
        soon(lambda: self.controls.count("Subscribed") == 2, "market subscriptions")
        soon(lambda: "Successfully subscribed" in self.controls, "order subscription")

    def _ticked(self, message: dict[str, Any]) -> None:
        if "code" in message:
            self.controls.append(message["message"])
        else:
            name = message["symbol"] + (" depth" if message["type"] == "dp" else "")
            self.ticks.setdefault(name, []).append(dict(message))

    def states(self, order_id: str) -> list[int]:
        return [one["status"] for one in list(self.told["orders"]) if one["id"] == order_id]


def form(**changes: object) -> dict[str, object]:
    return {
        "symbol": SHARE,
        "qty": 10,
        "type": 1,
        "side": 1,
        "productType": "INTRADAY",
        "limitPrice": 1395.0,
        "stopPrice": 0,
        "validity": "DAY",
        "disclosedQty": 0,
        "offlineOrder": False,
        **changes,
    }


def place(fyers: fyersModel.FyersModel, **changes: object) -> str:
    return good(1101, fyers.place_order, form(**changes))["id"]


def row(fyers: fyersModel.FyersModel, order_id: str) -> dict[str, Any]:
    return good(200, fyers.orderbook, {"id": order_id})["orderBook"][0]


def instruments() -> None:
    base = f"{ROOT}/files/sym_details"
    lines = {line.split(",")[9]: line.split(",") for line in requests.get(f"{base}/NSE_FO.csv", timeout=5).text.split()}
    assert (lines[FUTURE][0], lines[FUTURE][2], lines[FUTURE][3]) == (FUTURE_TOKEN, "11", "75")
    assert (lines[OPTION][0], lines[OPTION][15], lines[OPTION][16]) == (OPTION_TOKEN, "24500.0", "CE")
    assert lines[OPTION][17] == "101000000026000"
    twin = requests.get(f"{base}/NSE_CM_sym_master.json", timeout=5).json()
    assert (twin[SHARE]["tickSize"], twin[SHARE]["previousClose"], twin[SHARE]["upperPrice"]) == (0.1, 1390.0, 1529.0)


def quotes(fyers: fyersModel.FyersModel) -> None:
    found = good(200, fyers.quotes, {"symbols": f"{SHARE},{FUTURE},{INDEX}"})["d"]
    assert [one["v"]["lp"] for one in found] == [1400.0, 24600.0, 24500.0]
    assert (found[0]["v"]["ch"], found[0]["v"]["high_price"], found[1]["v"]["fyToken"]) == (10.0, 1401.0, FUTURE_TOKEN)
    depth = good(200, fyers.depth, {"symbol": FUTURE, "ohlcv_flag": "1"})["d"][FUTURE]
    assert (depth["ltp"], len(depth["bids"]), len(depth["ask"]), depth["oiflag"]) == (24600.0, 5, 5, True)
    assert bad(-300, fyers.depth, {"symbol": "NSE:NOPE-EQ", "ohlcv_flag": "1"})
    assert good(200, fyers.market_status)["marketStatus"] == [
        {"exchange": 10, "segment": 10, "market_type": "NORMAL", "status": "OPEN"},
        {"exchange": 10, "segment": 11, "market_type": "NORMAL", "status": "OPEN"},
    ]


def candles(fyers: fyersModel.FyersModel) -> None:
    span = {"date_format": "1", "range_from": "2025-08-01", "range_to": "2025-08-01", "cont_flag": "1"}
    for resolution in ("1", "5", "15", "60", "240", "D", "1D", "1W"):
        bars = paced(fyers.history, {"symbol": SHARE, "resolution": resolution, **span})["candles"]
        assert [bar[1:5] for bar in bars] == [[1401.0, 1401.0, 1400.0, 1400.0]], (resolution, bars)
    seconds = {"date_format": "0", "range_from": str(OPEN), "range_to": str(OPEN + 4), "cont_flag": "1"}
    bars = paced(fyers.history, {"symbol": SHARE, "resolution": "5S", **seconds})["candles"]
    assert [bar[0] for bar in bars] == [OPEN]
    assert bad(-50, fyers.history, {"symbol": SHARE, "resolution": "1", **span, "range_from": "2024-08-01"})


def orders(fyers: fyersModel.FyersModel, feed: Feed) -> str:
    """Place, modify, cancel, buy, protect; returns the resting stop."""
    resting = place(fyers, orderTag="rest")
    good(1102, fyers.modify_order, {"id": resting, "type": 1, "limitPrice": 1396.0, "qty": 20})
    line = row(fyers, resting)
    assert (line["limitPrice"], line["qty"], line["remainingQuantity"], line["status"]) == (1396.0, 20, 20, 6)
    good(1103, fyers.cancel_order, {"id": resting})
    soon(lambda: feed.states(resting) == [4, 6, 6, 6, 1], f"{feed.states(resting)}")
    bought = place(fyers, limitPrice=1402.0, orderTag="entry")
    line = row(fyers, bought)
    assert (line["status"], line["tradedPrice"], line["filledQty"]) == (2, 1400.0, 10)
    stop = place(fyers, side=-1, type=4, limitPrice=1380.0, stopPrice=1390.0, orderTag="stop")
    good(1102, fyers.modify_order, {"id": stop, "type": 4, "limitPrice": 1380.0, "stopPrice": 1392.0})
    assert (row(fyers, stop)["stopPrice"], row(fyers, stop)["status"]) == (1392.0, 6)
    found = good(200, fyers.orderbook, {"order_tag": "1:stop"})["orderBook"]
    assert [one["id"] for one in found] == [stop]
    lots = place(fyers, symbol=FUTURE, productType="MARGIN", qty=75, limitPrice=24600.0)
    line = row(fyers, lots)
    assert (line["status"], line["segment"], line["fyToken"]) == (5, 11, FUTURE_TOKEN), line
    assert "Margin Shortfall" in line["message"]
    bad(-314, fyers.place_order, form(symbol=FUTURE, productType="CNC", qty=75, limitPrice=24600.0))
    return stop


def triggers(fyers: fyersModel.FyersModel) -> tuple[str, str]:
    """GTT: single, OCO, changed, cancelled; returns one that will fire and its neighbour."""

    def gtt(*legs: tuple[float, float]) -> dict[str, object]:
        rows = {f"leg{n}": {"triggerPrice": a, "price": b, "qty": 5} for n, (a, b) in enumerate(legs, start=1)}
        return {"side": -1, "symbol": SHARE, "productType": "CNC", "orderInfo": rows, "orderTag": "exit"}

    gone = good(1101, fyers.place_gtt_order, gtt((1350.0, 1349.0)))["id"]
    good(1102, fyers.modify_gtt_order, {"id": gone, **gtt((1355.0, 1354.0))})
    good(1103, fyers.cancel_gtt_order, {"id": gone})
    two = good(1101, fyers.place_gtt_order, gtt((1410.0, 1409.0), (1370.0, 1369.0)))["id"]
    wait = good(1101, fyers.place_gtt_order, gtt((1300.0, 1299.0)))["id"]
    bad(-309, fyers.place_gtt_order, gtt((1370.0, 1369.0), (1410.0, 1409.0)))
    listed = {one["id"]: one for one in good(200, fyers.gtt_orderbook)["orderBook"]}
    assert {name: one["ord_status"] for name, one in listed.items()} == {gone: 1, two: 6, wait: 6}
    assert (listed[two]["price_trigger"], listed[two]["price2_trigger"], listed[gone]["price_trigger"]) == (
        1410.0,
        1370.0,
        1355.0,
    )
    return two, wait


def after_stop(fyers: fyersModel.FyersModel, feed: Feed, stop: str) -> None:
    line = row(fyers, stop)
    assert (line["status"], line["tradedPrice"], line["type"]) == (2, 1391.0, 4), line
    held = good(200, fyers.positions)
    position = held["netPositions"][0]
    assert (position["netQty"], position["side"], position["realized_profit"]) == (0, 0, -90.0), position
    assert (held["overall"]["count_open"], held["overall"]["pl_total"]) == (0, -90.0)
    trades = good(200, fyers.tradebook)["tradeBook"]
    assert [(one["side"], one["tradePrice"], one["orderTag"]) for one in trades] == [
        (1, 1400.0, "1:entry"),
        (-1, 1391.0, "1:stop"),
    ]
    soon(lambda: feed.states(stop)[-1:] == [2] and len(feed.told["positions"]) == 2, "the stop's updates")
    assert [(one["orderNumber"], one["tradePrice"]) for one in feed.told["trades"]][-1] == (stop, 1391.0)
    assert (feed.told["positions"][-1]["netQty"], feed.told["positions"][-1]["realized_profit"]) == (0, -90.0)


def after_trigger(fyers: fyersModel.FyersModel, fired: str, waiting: str) -> None:
    listed = {one["id"]: one["ord_status"] for one in good(200, fyers.gtt_orderbook)["orderBook"]}
    assert (listed[fired], listed[waiting]) == (2, 6)
    child = good(200, fyers.orderbook, {"order_tag": "1:GTTexit"})["orderBook"][0]
    assert (child["status"], child["productType"], child["tradedPrice"]) == (2, "CNC", 1411.0), child
    holding = good(200, fyers.holdings)["holdings"][0]
    assert (holding["quantity"], holding["remainingQuantity"], holding["isin"]) == (100, 95, "INE002A01018"), holding


def ticks(feed: Feed) -> None:
    share, future, index, other = (feed.ticks[name][-1] for name in (SHARE, FUTURE, INDEX, OTHER))
    figures = ("open_price", "high_price", "low_price", "prev_close_price")
    assert [share[name] for name in figures] == [1401.0, 1411.0, 1391.0, 1390.0], share
    assert [tick["ltp"] for tick in feed.ticks[SHARE]][:2] == [1390.0, 1401.0]
    assert (future["ltp"], future["type"], other["ltp"], other["prev_close_price"]) == (24600.0, "sf", 3000.0, 2990.0)
    assert (index["type"], index["ltp"], index["low_price"]) == ("if", 24500.0, 24500.0)
    depth = feed.ticks[f"{SHARE} depth"][-1]
    assert (depth["bid_price1"], depth["ask_price5"], depth["bid_size1"]) == (1410.9, 1411.5, 100), depth
    assert feed.trouble == []


def errors(fyers: fyersModel.FyersModel) -> None:
    stranger = fyersModel.FyersModel(client_id=hosts.APP_ID, token="x.y.z", log_path="")
    bad(-16, stranger.orderbook)
    bad(-15, stranger.quotes, {"symbols": SHARE})
    bad(-300, fyers.place_order, form(symbol="NSE:NOPE-EQ"))
    bad(-392, fyers.place_order, form(limitPrice=1395.05))
    bad(-51, fyers.cancel_order, {"id": "1"})
    assert "not simulated" in bad(-50, fyers.get_alert)
    available = good(200, fyers.funds)["fund_limit"][9]
    assert (available["id"], available["equityAmount"]) == (10, 1_000_000 - 90 + 5 * 1411), available
    good(200, fyers.logout)
    bad(-17, fyers.get_profile)


def main() -> None:
    hosts.use(ROOT)
    until(-30)
    token = hosts.access_token()
    fyers = fyersModel.FyersModel(client_id=hosts.APP_ID, token=token, is_async=False, log_path="")
    assert good(200, fyers.get_profile)["data"]["fy_id"] == "XS00001"
    assert {one["status"] for one in good(200, fyers.market_status)["marketStatus"]} == {"CLOSED"}
    assert "Market is closed" in bad(-99, fyers.place_order, form())
    steps.append("login")
    feed = Feed(f"{hosts.APP_ID}:{token}")
    until(5)
    instruments()
    quotes(fyers)
    candles(fyers)
    steps.extend(("instruments", "quotes", "candles"))
    stop = orders(fyers, feed)
    steps.append("orders")
    fired, waiting = triggers(fyers)
    steps.append("gtt")
    until(21)
    after_stop(fyers, feed, stop)
    steps.append("stop")
    until(31)
    after_trigger(fyers, fired, waiting)
    steps.append("holdings")
    soon(lambda: feed.ticks[SHARE][-1]["ltp"] == 1411.0, "the last tick")
    ticks(feed)
    steps.append("ticks")
    errors(fyers)
    steps.append("errors")
    print(json.dumps({"ok": True, "steps": steps}), flush=True)
    os._exit(0)  # The SDK's threads never end.


main()
