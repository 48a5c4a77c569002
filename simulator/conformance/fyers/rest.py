"""Drives the official SDK's REST client: one command a check, run in the SDK's own process. Prints one JSON object."""

import asyncio
import json
import sys
import time
from collections.abc import Callable

import hosts
import requests
from fyers_apiv3 import fyersModel

ROOT, CHECK = sys.argv[1], sys.argv[2]
SHARE, INDEX = "NSE:RELIANCE-EQ", "NSE:NIFTY50-INDEX"


def refused(answer: dict, code: int, text: str = "") -> None:
    assert (answer["s"], answer["code"], text in answer["message"]) == ("error", code, True), answer


def accepted(answer: dict, code: int = 200) -> dict:
    assert (answer["s"], answer["code"]) == ("ok", code), answer
    return answer


def form(**changes: object) -> dict:
    return {
        "symbol": SHARE,
        "qty": 10,
        "type": 1,
        "side": 1,
        "productType": "INTRADAY",
        "limitPrice": 1990.0,
        "stopPrice": 0,
        "validity": "DAY",
        "disclosedQty": 0,
        "offlineOrder": False,
        **changes,
    }


def place(fyers: fyersModel.FyersModel, **changes: object) -> str:
    return accepted(fyers.place_order(data=form(**changes)), 1101)["id"]


def row(fyers: fyersModel.FyersModel, order_id: str) -> dict:
    return accepted(fyers.get_orders({"id": order_id}))["orderBook"][0]


def session() -> None:
    fyers = hosts.login()
    assert accepted(fyers.get_profile())["data"]["fy_id"] == "XS00001"
    funds = {line["id"]: line["equityAmount"] for line in accepted(fyers.funds())["fund_limit"]}
    assert len(funds) == 10 and funds[10] == 1_000_000, funds
    assert accepted(fyers.logout())["message"] == "you are successfully logged out"
    refused(fyers.logout(), -16, "Token is Invalid or Expired")
    refused(fyers.orderbook(), -17)


def orders() -> None:
    fyers = hosts.login()
    resting = place(fyers, orderTag="rest1")
    assert len(resting) == 14 and resting.startswith("210412")
    line = row(fyers, resting)
    assert (line["status"], line["orderTag"], line["limitPrice"], line["filledQty"]) == (6, "1:rest1", 1990.0, 0), line
    assert line["orderNumStatus"] == f"{resting}:6"
    by_tag = accepted(fyers.orderbook({"order_tag": "1:rest1"}))["orderBook"]
    assert [one["id"] for one in by_tag] == [resting]
    assert accepted(fyers.orderbook({"order_tag": "1:other"}))["orderBook"] == []
    accepted(fyers.modify_order({"id": resting, "type": 1, "limitPrice": 1991.0, "qty": 12}), 1102)
    line = row(fyers, resting)
    assert (line["limitPrice"], line["qty"], line["remainingQuantity"]) == (1991.0, 12, 12)
    assert accepted(fyers.cancel_order({"id": resting}), 1103)["id"] == resting
    assert row(fyers, resting)["status"] == 1
    refused(fyers.cancel_order({"id": resting}), -161)


def fills() -> None:
    fyers = hosts.login()
    bought = place(fyers, limitPrice=2010.0, orderTag="buy1")
    line = row(fyers, bought)
    assert (line["status"], line["tradedPrice"], line["remainingQuantity"]) == (2, 2000.0, 0), line
    stop = place(fyers, side=-1, type=4, limitPrice=1980.0, stopPrice=1985.0)
    line = row(fyers, stop)
    assert (line["status"], line["type"], line["stopPrice"], line["limitPrice"]) == (6, 4, 1985.0, 1980.0), line
    held = accepted(fyers.positions())
    assert held["netPositions"][0]["id"] == f"{SHARE}-INTRADAY"
    assert (held["netPositions"][0]["netQty"], held["overall"]["count_open"]) == (10, 1)
    accepted(fyers.modify_order({"id": stop, "type": 1, "limitPrice": 1995.0}), 1102)
    line = row(fyers, stop)
    assert (line["status"], line["type"], line["tradedPrice"]) == (2, 1, 2000.0), line
    trades = accepted(fyers.tradebook())["tradeBook"]
    assert [(one["tradedQty"], one["side"]) for one in trades] == [(10, 1), (10, -1)]
    assert trades[0]["orderTag"] == "1:buy1" and trades[0]["orderNumber"] == bought
    position = accepted(fyers.positions())["netPositions"][0]
    assert (position["netQty"], position["side"], position["pl"]) == (0, 0, 0), position
    held = accepted(fyers.holdings())
    assert [(one["holdingType"], one["quantity"], one["qty_t1"]) for one in held["holdings"]] == [
        ("HLD", 5, 0),
        ("T1", 2, 2),
    ]
    assert held["overall"]["total_investment"] == 7 * 1900


def stops_and_baskets() -> None:
    fyers = hosts.login()
    market = place(fyers, type=2, limitPrice=0)
    line = row(fyers, market)
    assert (line["type"], line["limitPrice"], line["status"]) == (1, 2010.0, 2), line
    stop = place(fyers, side=-1, type=3, limitPrice=0, stopPrice=1985.0)
    line = row(fyers, stop)
    assert (line["type"], line["stopPrice"], line["status"]) == (4, 1985.0, 6) and line["limitPrice"] < 1985, line
    basket = accepted(fyers.place_basket_orders([form(orderTag="one"), form(qty=0), form(limitPrice=1990.01)]))["data"]
    assert [one["statusCode"] for one in basket] == [200, 400, 400], basket
    assert [one["body"]["code"] for one in basket] == [1101, -310, -392]
    one = basket[0]["body"]["id"]
    changed = accepted(fyers.modify_basket_orders([{"id": one, "limitPrice": 1992.0}]))["data"]
    assert changed[0]["body"]["code"] == 1102
    gone = accepted(fyers.cancel_basket_orders([{"id": one}, {"id": "21041299999999"}]))["data"]
    assert [each["body"]["code"] for each in gone] == [1103, -51]
    time.sleep(1.1)
    accepted(fyers.exit_positions({"pending_orders_cancel": 1}))
    assert row(fyers, stop)["status"] == 1
    assert accepted(fyers.exit_positions())["message"] == "The position is closed."
    assert accepted(fyers.positions())["overall"]["count_open"] == 0
    refused(fyers.exit_positions(), -352)
    refused(fyers.exit_positions({"id": "NSE:NOPE-EQ-CNC"}), -53)


def gtt() -> None:
    fyers = hosts.login()
    base = {"side": -1, "symbol": SHARE, "productType": "CNC"}
    single = {"orderInfo": {"leg1": {"price": 1899.0, "triggerPrice": 1900.0, "qty": 5}}, "orderTag": "g1"}
    one = accepted(fyers.place_gtt_order({**base, **single}), 1101)["id"]
    legs = {
        "leg1": {"price": 2099.0, "triggerPrice": 2100.0, "qty": 5},
        "leg2": {"price": 1899.0, "triggerPrice": 1900.0, "qty": 5},
    }
    two = accepted(fyers.place_gtt_order({**base, "orderInfo": legs}), 1101)["id"]
    wrong = {"leg1": legs["leg2"], "leg2": legs["leg1"]}
    refused(fyers.place_gtt_order({**base, "orderInfo": wrong}), -309)
    refused(fyers.place_gtt_order({**base, **single, "productType": "INTRADAY"}), -314)
    rows = {line["id"]: line for line in accepted(fyers.gtt_orderbook())["orderBook"]}
    assert [(rows[name]["gtt_oco_ind"], rows[name]["ord_status"]) for name in (one, two)] == [(1, 6), (2, 6)]
    assert (rows[two]["price_trigger"], rows[two]["price2_trigger"]) == (2100.0, 1900.0)
    assert (rows[one]["ordertag"], rows[two]["ordertag"]) == ("1:GTTg1", "2:GTTUntagged")
    change = {"id": one, "orderInfo": {"leg1": {"price": 1898.0, "triggerPrice": 1899.0, "qty": 4}}}
    accepted(fyers.modify_gtt_order(change), 1102)
    accepted(fyers.cancel_gtt_order({"id": two}), 1103)
    rows = {line["id"]: line for line in accepted(fyers.gtt_orderbook())["orderBook"]}
    assert (rows[one]["qty"], rows[one]["price_trigger"], rows[two]["ord_status"]) == (4, 1899.0, 1)
    refused(fyers.cancel_gtt_order({"id": two}), -99)


def market() -> None:
    fyers = hosts.login()
    answer = accepted(fyers.quotes({"symbols": f"{SHARE},{INDEX},NSE:NOPE-EQ"}))["d"]
    assert [(one["n"], one["s"]) for one in answer] == [(SHARE, "ok"), (INDEX, "ok"), ("NSE:NOPE-EQ", "error")]
    assert (answer[0]["v"]["lp"], answer[0]["v"]["fyToken"]) == (2000.0, "10100000002885")
    assert answer[2]["v"]["code"] == -300
    assert accepted(fyers.quotes_v2({"symbols": [SHARE]}))["d"][0]["v"]["prev_close_price"] == 2000.0
    depth = accepted(fyers.depth({"symbol": SHARE, "ohlcv_flag": "1"}))["d"][SHARE]
    assert (len(depth["bids"]), len(depth["ask"]), depth["tick_Size"], depth["upper_ckt"]) == (5, 5, 0.05, 2200.0)
    assert depth["o"] == depth["ltp"] == 2000.0
    span = {"date_format": "1", "range_from": "2021-04-12", "range_to": "2021-04-12", "cont_flag": "1"}
    bars = accepted({"code": 200, **fyers.history({"symbol": SHARE, "resolution": "1", **span})})["candles"]
    assert bars[0][:5] == [1618199100, 2000.0, 2000.0, 2000.0, 2000.0], bars
    assert len(fyers.history({"symbol": SHARE, "resolution": "D", "oi_flag": "1", **span})["candles"][0]) == 7
    none = {**span, "range_from": "2021-04-01", "range_to": "2021-04-02"}
    assert fyers.history({"symbol": SHARE, "resolution": "5", **none})["s"] == "no_data"
    refused(fyers.history({"symbol": SHARE, "resolution": "7", **span}), -50)
    status = accepted(fyers.market_status())["marketStatus"]
    assert status == [{"exchange": 10, "segment": 10, "market_type": "NORMAL", "status": "OPEN"}], status
    refused(fyers.optionchain({"symbol": INDEX, "strikecount": 1}), -50, "not simulated")


def instruments() -> None:
    hosts.login()
    base = f"{ROOT}/files/sym_details"
    lines = [line.split(",") for line in requests.get(f"{base}/NSE_CM.csv", timeout=5).text.splitlines()]
    listed = {line[9]: line for line in lines}
    assert all(len(line) == 21 for line in lines)
    assert (listed[SHARE][0], listed[SHARE][3], listed[SHARE][4]) == ("10100000002885", "1", "0.05")
    twin = requests.get(f"{base}/NSE_CM_sym_master.json", timeout=5).json()
    assert (twin[SHARE]["fyToken"], twin[SHARE]["qtyFreeze"]) == ("10100000002885", "200000")
    assert requests.get(f"{base}/MCX_COM.csv", timeout=5).text == ""
    assert requests.get(f"{base}/NOPE.csv", timeout=5).status_code == 404
    assert requests.get(f"{base}/index_hsm_mapping.json", timeout=5).json()[INDEX] == "Nifty 50"


def errors() -> None:
    fyers = hosts.login()
    bad = fyersModel.FyersModel(client_id=hosts.APP_ID, token="a.b.c", log_path="")
    refused(bad.orderbook(), -16)
    assert list(bad.quotes({"symbols": SHARE})) == ["message", "code", "s"]
    refused(bad.quotes({"symbols": SHARE}), -15, "Please provide valid token")
    for changes, code in (
        ({"qty": 0}, -310),
        ({"symbol": "NSE:NOPE-EQ"}, -300),
        ({"orderTag": "not ok!"}, -50),
        ({"limitPrice": 1990.01}, -392),
        ({"type": 9}, -101),
        ({"side": 0}, -313),
        ({"productType": "BO"}, -314),
        ({"validity": "GTC"}, -326),
        ({"side": -1, "type": 4, "stopPrice": 2005.0, "limitPrice": 2000.0}, -390),
        ({"side": -1, "type": 4, "stopPrice": 1980.0, "limitPrice": 1985.0}, -315),
    ):
        refused(fyers.place_order(form(**changes)), code)
        time.sleep(0.15)
    refused(fyers.modify_order({"id": "1", "qty": 1}), -51)
    time.sleep(1.1)
    rich = place(fyers, qty=5000)
    line = row(fyers, rich)
    assert line["status"] == 5 and "Margin Shortfall" in line["message"], line


def limits() -> None:
    fyers = hosts.login()
    answers = [fyers.orderbook() for _ in range(11)]
    assert [answer["code"] for answer in answers] == [200] * 10 + [-429]
    refused(answers[-1], -429, "request limit reached")
    held = requests.get(f"{ROOT}/api/v3/orders", headers={"Authorization": fyers.header}, timeout=5)
    assert held.status_code == 429
    assert held.headers["Retry-After"] == "1" and 0 < int(held.headers["X-Retry-After-Ms"]) <= 1000


def asynchronous() -> None:
    token = hosts.access_token()

    async def day() -> None:
        fyers = fyersModel.FyersModel(client_id=hosts.APP_ID, token=token, is_async=True, log_path="")
        placed = accepted(await fyers.place_order(form(orderTag="later")), 1101)
        book = accepted(await fyers.orderbook())["orderBook"]
        assert [line["id"] for line in book] == [placed["id"]]
        accepted(await fyers.modify_order({"id": placed["id"], "limitPrice": 1991.0}), 1102)
        accepted(await fyers.cancel_order({"id": placed["id"]}), 1103)
        assert accepted(await fyers.quotes({"symbols": SHARE}))["d"][0]["v"]["lp"] == 2000.0
        await fyers.close()

    asyncio.run(day())


ALL = (session, orders, fills, stops_and_baskets, gtt, market, instruments, errors, limits, asynchronous)
CHECKS: dict[str, Callable[[], None]] = {check.__name__: check for check in ALL}
hosts.use(ROOT)
CHECKS[CHECK]()
print(json.dumps({"ok": True}))
