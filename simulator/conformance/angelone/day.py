"""Plays one scripted day with the official SDK, REST and sockets together. The market moves when this process asks."""

import json
import os
import sys
import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import requests
from asking import OVER_LIMIT, asked, done, refused, soon, until
from hosts import SCRIP_MASTER, SmartConnect, SmartWebSocketOrderUpdate, SmartWebSocketV2, report
from SmartApi.smartExceptions import DataException

CONTROL, CONTROL_TOKEN = sys.argv[2], sys.argv[3]
KEY, CLIENT, PIN, SECRET = "angelkey01", "S000123", "4321", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RELIANCE, TCS, FUTURE, CALL, NIFTY = "2885", "11536", "64103", "44261", "99926000"
CASH, DERIVATIVES = SmartWebSocketV2.NSE_CM, SmartWebSocketV2.NSE_FO
steps: list[str] = []


class Updates(SmartWebSocketOrderUpdate):
    """The order socket; the SDK hands over raw text, pongs and empty pings included."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seen: list[dict[str, Any]] = []

    def on_message(self, _: Any, message: str | bytes) -> None:
        if message and message != "pong":
            self.seen.append(json.loads(message))

    def codes(self, order_id: str) -> list[str]:
        return [m["order-status"] for m in list(self.seen) if m["orderData"]["orderid"] == order_id]


class Feed:
    """The market socket in a thread of its own."""

    def __init__(self, smart: SmartConnect) -> None:
        self.packets: list[dict[str, Any]] = []
        self.opens = 0
        self.socket = SmartWebSocketV2(smart.access_token, KEY, CLIENT, smart.feed_token, retry_delay=0.2)
        self.socket.on_open = self.opened
        self.socket.on_data = lambda _, packet: self.packets.append(packet)
        threading.Thread(target=self.socket.connect, daemon=True).start()

    def opened(self, _: Any) -> None:
        groups = [
            {"exchangeType": CASH, "tokens": [RELIANCE, NIFTY, "999999"]},
            {"exchangeType": DERIVATIVES, "tokens": [FUTURE, CALL]},
        ]
        for mode in (SmartWebSocketV2.LTP_MODE, SmartWebSocketV2.QUOTE, SmartWebSocketV2.SNAP_QUOTE):
            self.socket.subscribe(f"mode{mode}", mode, [dict(group) for group in groups])
        depth = [{"exchangeType": CASH, "tokens": [RELIANCE]}]
        self.socket.subscribe("depth", SmartWebSocketV2.DEPTH, depth)
        self.opens += 1

    def of(self, mode: int, kind: int, token: str) -> list[dict[str, Any]]:
        wanted = (mode, kind, token)
        return [p for p in list(self.packets) if (p["subscription_mode"], p["exchange_type"], p["token"]) == wanted]


def code() -> str:
    return pyotp.TOTP(SECRET).now()


def login() -> SmartConnect:
    smart = SmartConnect(api_key=KEY)
    refused("AB1000", "Invalid", smart.generateSession, CLIENT, "0000", code())
    wrong = f"{(int(code()) + 1) % 10**6:06}"
    refused("AB1050", "Invalid totp", smart.generateSession, CLIENT, PIN, wrong)
    refused("AG8004", "API Key", SmartConnect(api_key="nope").getProfile, "")
    user = done(smart.generateSession, CLIENT, PIN, code())
    assert (user["clientcode"], smart.userId) == (CLIENT, CLIENT), user
    assert user["jwtToken"] == f"Bearer {smart.access_token}"
    assert smart.getfeedToken() == user["feedToken"]
    tokens = done(smart.generateToken, user["refreshToken"])
    assert smart.access_token == tokens["jwtToken"]
    renewed = asked(smart.renewAccessToken)
    assert (renewed["clientcode"], bool(renewed["refreshToken"])) == (CLIENT, True), renewed
    answer = requests.get(f"{smart.login_url()}&state=abc", allow_redirects=False, timeout=5)
    back = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    assert (back["state"], back["x"]) == ("abc", "1"), back
    published = SmartConnect(api_key=KEY, access_token=back["auth_token"], feed_token=back["feed_token"])
    assert done(published.getProfile, "")["clientcode"] == CLIENT
    return smart


def order(**changes: Any) -> dict[str, Any]:
    base = {"variety": "NORMAL", "tradingsymbol": "RELIANCE-EQ", "symboltoken": RELIANCE, "exchange": "NSE"}
    base |= {"transactiontype": "BUY", "ordertype": "LIMIT", "producttype": "INTRADAY", "duration": "DAY"}
    return {**base, "price": "1395", "quantity": "10", **changes}


def stop_order(**changes: Any) -> dict[str, Any]:
    base = order(variety="STOPLOSS", ordertype="STOPLOSS_LIMIT", transactiontype="SELL")
    return {**base, "triggerprice": "1390", "price": "1380", **changes}


def place(smart: SmartConnect, **changes: Any) -> str:
    made = smart.placeOrder(order(**changes))
    assert made is not None
    return str(made)


def row_of(smart: SmartConnect, order_id: str) -> dict[str, Any]:
    found = next(row for row in done(smart.orderBook) if row["orderid"] == order_id)
    assert smart.individual_order_details(found["uniqueorderid"])["data"] == found
    return dict(found)


def after_market(smart: SmartConnect) -> str:
    """Before the opening an order waits at the broker; returns it."""
    assert done(smart.orderBook) is None
    waiting = place(smart)
    row = row_of(smart, waiting)
    assert (row["variety"], row["status"]) == ("AMO", "after market order req received"), row
    refused("AB1007", "Cancel Order Response : Bad Input", smart.cancelOrder, waiting, "NORMAL")
    done(smart.modifyOrder, order(orderid=waiting, price="1300"))
    assert row_of(smart, waiting)["status"] == "modify after market order req received"
    return waiting


def at_opening(smart: SmartConnect, waiting: str) -> None:
    """The session has begun: what waited is an order like any other."""
    row = row_of(smart, waiting)
    assert (row["variety"], row["status"], row["price"]) == ("AMO", "open", 1300.0), row
    done(smart.cancelOrder, waiting, "NORMAL")
    assert row_of(smart, waiting)["status"] == "cancelled"


def instruments(smart: SmartConnect) -> None:
    rows = requests.get(SCRIP_MASTER, timeout=5).json()
    listed = {(row["exch_seg"], row["token"]): row for row in rows}
    assert listed["NSE", RELIANCE]["tick_size"] == "10.000000"
    call = listed["NFO", CALL]
    assert (call["symbol"], call["strike"], call["expiry"]) == ("NIFTY07AUG2524500CE", "2450000.000000", "07AUG2025")
    assert listed["NFO", FUTURE]["symbol"] == "NIFTY28AUG25FUT"
    found = done(smart.searchScrip, "NSE", "TCS")
    assert found == [{"exchange": "NSE", "tradingsymbol": "TCS-EQ", "symboltoken": TCS}], found
    assert done(smart.searchScrip, "NSE", "NOSUCHNAME") is None


def quotes(smart: SmartConnect) -> None:
    assert done(smart.ltpData, "NSE", "RELIANCE-EQ", RELIANCE)["ltp"] == 1400.0
    wanted = {"NSE": [RELIANCE, NIFTY, "999999"], "NFO": [FUTURE]}
    for mode, size in (("LTP", 4), ("OHLC", 8)):
        data = done(smart.getMarketData, mode, wanted)
        assert len(data["fetched"][0]) == size, data
        assert data["unfetched"][0]["symbolToken"] == "999999", data
    full = {entry["symbolToken"]: entry for entry in done(smart.getMarketData, "FULL", wanted)["fetched"]}
    share = full[RELIANCE]
    assert (share["netChange"], share["lowerCircuit"], share["upperCircuit"]) == (10.0, 1251.0, 1529.0), share
    assert [len(share["depth"][side]) for side in ("buy", "sell")] == [5, 5]
    assert full[FUTURE]["ltp"] == 24600.0


def candles(smart: SmartConnect) -> None:
    body = {"exchange": "NSE", "symboltoken": RELIANCE}
    span = {"fromdate": "2025-08-01 09:15", "todate": "2025-08-01 09:15"}
    minutes = ("ONE", "THREE", "FIVE", "TEN", "FIFTEEN", "THIRTY")
    for interval in (*(f"{number}_MINUTE" for number in minutes), "ONE_HOUR"):
        bars = done(smart.getCandleData, {**body, **span, "interval": interval})
        assert [bar[:5] for bar in bars] == [["2025-08-01T09:15:00+05:30", 1401.0, 1401.0, 1400.0, 1400.0]], bars
    day = {**span, "fromdate": "2025-08-01 00:00"}
    bars = done(smart.getCandleData, {**body, **day, "interval": "ONE_DAY"})
    assert bars[0][0] == "2025-08-01T00:00:00+05:30", bars
    late = {**span, "todate": "2025-08-01 15:30", "interval": "ONE_MINUTE"}
    refused("AB1007", "greater than current", smart.getCandleData, {**body, **late})
    interest = {"exchange": "NFO", "symboltoken": FUTURE, **span, "interval": "ONE_MINUTE"}
    assert done(smart.getOIData, interest)[0]["oi"] == 0


def orders(smart: SmartConnect, updates: Updates) -> str:
    """Place, modify, cancel, buy, protect; returns the resting stop."""
    full = asked(smart.placeOrderFullResponse, order(ordertag="rest1"))["data"]
    resting = full["orderid"]
    assert full["script"] == "RELIANCE-EQ"
    row = row_of(smart, resting)
    assert (row["status"], row["ordertag"], row["price"], row["quantity"]) == ("open", "rest1", 1395.0, "10"), row
    done(smart.modifyOrder, order(orderid=resting, price="1396", quantity="20"))
    row = row_of(smart, resting)
    assert (row["status"], row["price"], row["quantity"], row["unfilledshares"]) == ("open", 1396.0, "20", "20"), row
    done(smart.cancelOrder, resting, "NORMAL")
    assert row_of(smart, resting)["status"] == "cancelled"
    soon(lambda: updates.codes(resting)[-1:] == ["AB02"], f"{updates.codes(resting)}")
    assert updates.codes(resting) == ["AB09", "AB01", "AB11", "AB04", "AB01", "AB02"], updates.codes(resting)
    bought = place(smart, price="1402", ordertag="entry")
    row = row_of(smart, bought)
    assert (row["status"], row["averageprice"], row["filledshares"]) == ("complete", 1400.0, "10"), row
    assert done(smart.tradeBook)[0]["orderid"] == bought
    stop = place(smart, **stop_order())
    row = row_of(smart, stop)
    assert (row["status"], row["variety"], row["triggerprice"]) == ("trigger pending", "STOPLOSS", 1390.0), row
    done(smart.modifyOrder, stop_order(orderid=stop, triggerprice="1392"))
    assert row_of(smart, stop)["triggerprice"] == 1392.0
    refused("AB1008", "Invalid Order Variety", smart.cancelOrder, stop, "NORMAL")
    position = done(smart.position)[0]
    assert (position["netqty"], position["netvalue"], position["producttype"]) == ("10", "- 14000.00", "INTRADAY")
    lots = place(
        smart,
        exchange="NFO",
        symboltoken=FUTURE,
        tradingsymbol="NIFTY28AUG25FUT",
        producttype="CARRYFORWARD",
        quantity="75",
        price="24600",
    )
    row = row_of(smart, lots)
    assert (row["status"], row["instrumenttype"], row["expirydate"]) == ("rejected", "FUTIDX", "28AUG2025"), row
    assert "Margin" in row["text"], row
    soon(lambda: updates.codes(lots)[-1:] == ["AB03"], "the rejection's update")
    return stop


def money(smart: SmartConnect) -> None:
    funds = done(smart.rmsLimit)
    assert float(funds["net"]) == 1_000_000 - 2_800, funds
    wanted = {"exchange": "NFO", "qty": 75, "price": 0, "productType": "CARRYFORWARD", "token": CALL}
    margin = done(smart.getMarginApi, {"positions": [{**wanted, "tradeType": "BUY", "orderType": "LIMIT"}]})
    assert margin["totalMarginRequired"] == margin["marginComponents"]["netPremium"] == 11250.0, margin
    holding = done(smart.holding)[0]
    assert (holding["tradingsymbol"], holding["quantity"], holding["ltp"]) == ("RELIANCE-EQ", 100, 1400.0), holding
    assert done(smart.allholding)["totalholding"]["totalprofitandloss"] == 20000.0


def rules(smart: SmartConnect) -> str:
    """GTT rules: single, OCO, changed, cancelled; returns an OCO that will fire."""
    base = {"tradingsymbol": "RELIANCE-EQ", "symboltoken": RELIANCE, "exchange": "NSE", "transactiontype": "SELL"}
    base |= {"producttype": "DELIVERY", "qty": "5", "disclosedqty": "0", "timeperiod": "365"}
    single = smart.gttCreateRule({**base, "price": "1349", "triggerprice": "1350"})
    legs = {"price": "1409", "triggerprice": "1410", "stoplossprice": "1369", "stoplosstriggerprice": "1370"}
    oco = smart.gttCreateRule({**base, **legs, "gttType": "OCO"})
    listed = done(smart.gttLists, ["NEW", "ACTIVE"], 1, 10)
    assert [row["id"] for row in listed] == [oco, single], listed
    change = {"id": single, "symboltoken": RELIANCE, "exchange": "NSE", "qty": "5", "disclosedqty": "0"}
    assert smart.gttModifyRule({**change, "price": "1340", "triggerprice": "1341", "timeperiod": "30"}) == single
    row = done(smart.gttDetails, single)
    assert (row["price"], row["triggerprice"], row["clientid"]) == ("1340.00", "1341.00", CLIENT), row
    cancel = {"id": single, "symboltoken": RELIANCE, "exchange": "NSE"}
    assert done(smart.gttCancelRule, cancel)["id"] == single
    assert done(smart.gttDetails, single)["status"] == "CANCELLED"
    refused("AB9013", "", smart.gttDetails, "1")
    refused("AB9004", "", smart.gttLists, [], 1, 10)
    return str(oco)


def after_stop(smart: SmartConnect, updates: Updates, stop: str) -> None:
    row = row_of(smart, stop)
    assert (row["status"], row["averageprice"]) == ("complete", 1391.0), row
    position = next(p for p in done(smart.position) if p["producttype"] == "INTRADAY")
    assert (position["netqty"], position["pnl"], position["realised"]) == ("0", "- 90.00", "- 90.00"), position
    soon(lambda: updates.codes(stop)[-1:] == ["AB05"], "the stop's update")
    assert updates.codes(stop)[:2] == ["AB09", "AB10"], updates.codes(stop)
    told = [m for m in updates.seen if m["orderData"]["orderid"] == stop][-1]
    assert (told["user-id"], told["orderData"]["averageprice"]) == (CLIENT, 1391.0), told


def after_rule(smart: SmartConnect, fired: str) -> None:
    assert done(smart.gttDetails, fired)["status"] == "SENTTOEXCHANGE"
    child = done(smart.orderBook)[-1]
    assert (child["status"], child["producttype"], child["averageprice"]) == ("complete", "DELIVERY", 1411.0), child
    assert done(smart.holding)[0]["quantity"] == 95


def packets(feed: Feed) -> None:
    """Every mode of the socket, as the SDK decodes it."""
    last = feed.of(1, CASH, RELIANCE)[-1]
    assert last["last_traded_price"] == 141100, last
    quote = feed.of(2, CASH, RELIANCE)[-1]
    prices = [quote[f"{name}_price_of_the_day"] for name in ("open", "high", "low")]
    assert (prices, quote["closed_price"]) == ([140100, 141100, 139100], 139000), quote
    assert quote["volume_trade_for_the_day"] > 0
    snap = feed.of(3, CASH, RELIANCE)[-1]
    assert (snap["upper_circuit_limit"], snap["lower_circuit_limit"]) == (152900, 125100), snap
    assert [level["price"] for level in snap["best_5_buy_data"]] == [141090, 141080, 141070, 141060, 141050], snap
    assert [level["price"] for level in snap["best_5_sell_data"]] == [141110, 141120, 141130, 141140, 141150], snap
    assert snap["last_traded_timestamp"] * 1000 == snap["exchange_timestamp"], snap
    depth = feed.of(4, CASH, RELIANCE)[-1]
    assert [len(depth[f"depth_20_{side}_data"]) for side in ("buy", "sell")] == [20, 20]
    assert depth["depth_20_buy_data"][19]["price"] == 140900, depth
    numbers = [p["sequence_number"] for p in feed.of(1, CASH, RELIANCE)]
    assert numbers == sorted(numbers)
    assert feed.of(2, DERIVATIVES, FUTURE)[-1]["last_traded_price"] == 2460000
    assert feed.of(3, DERIVATIVES, CALL)[-1]["open_interest"] == 0
    index = feed.of(2, CASH, NIFTY)[-1]
    assert (index["last_traded_price"], index["volume_trade_for_the_day"], index["sequence_number"]) == (2450000, 0, 0)
    assert not feed.of(1, CASH, "999999")


def unsubscribed(feed: Feed) -> None:
    """Of one token in one mode; the others go on."""
    feed.socket.unsubscribe("off", 1, [{"exchangeType": CASH, "tokens": [RELIANCE]}])
    feed.socket.wsapp.send("ping")
    time.sleep(0.2)
    before = len(feed.of(1, CASH, RELIANCE))
    until(40)
    soon(lambda: len(feed.of(1, DERIVATIVES, FUTURE)) > 3, "other ticks")
    assert len(feed.of(1, CASH, RELIANCE)) == before


def errors(smart: SmartConnect) -> None:
    def refused_order(number: str, text: str, **changes: Any) -> None:
        refused(number, text, smart.placeOrderFullResponse, order(**changes))

    refused_order("AB1009", "Symbol", symboltoken="999999")
    refused_order("AB4008", "less than 20 characters", ordertag="x" * 20)
    refused_order("AB1007", "MARKET", ordertype="MARKET", price="0")
    refused_order("AB2002", "ROBO order is block", variety="ROBO", producttype="BO")
    refused_order("AB1012", "Product", producttype="CNC")
    assert smart.placeOrder(order(price="x")) is None
    off_tick = place(smart, price="1395.07")
    row = row_of(smart, off_tick)
    assert (row["status"], "tick size" in row["text"]) == ("rejected", True), row
    refused("AB1013", "", smart.cancelOrder, "1", "NORMAL")
    refused("AB2000", "not simulated", smart.nseIntraday)
    refused("AG8003", "missing", SmartConnect(api_key=KEY).orderBook)
    refused("AG8001", "Invalid Token", SmartConnect(api_key=KEY, access_token="wrong").orderBook)
    doubled = SmartConnect(api_key=KEY, access_token=f"Bearer {smart.access_token}")
    refused("AG8001", "Invalid Token", doubled.orderBook)
    try:
        for _ in range(12):
            smart.placeOrderFullResponse(order())
    except DataException as error:
        assert OVER_LIMIT in str(error), error
        return
    raise AssertionError("twelve orders at once were all taken")


def cut_off(feed: Feed) -> None:
    """The server cuts the sockets: the SDK comes back, and only `on_open` subscribes."""
    headers = {"Authorization": f"Bearer {CONTROL_TOKEN}"}
    requests.patch(f"{CONTROL}/worlds/w/faults", json={"disconnect": True}, headers=headers, timeout=5)
    soon(lambda: feed.opens == 2, "a second connection")
    before = len(feed.of(2, DERIVATIVES, FUTURE))
    until(50)
    soon(lambda: len(feed.of(2, DERIVATIVES, FUTURE)) > before + 2, "ticks after the reconnect")


def log_out(smart: SmartConnect) -> None:
    assert done(smart.terminateSession, CLIENT) == ""
    refused("AG8001", "Invalid Token", smart.rmsLimit)
    steps.append("log_out")


def main() -> None:
    until(-30)
    smart = login()
    steps.append("login")
    updates = Updates(f"Bearer {smart.access_token}", KEY, CLIENT, smart.feed_token)
    threading.Thread(target=updates.connect, daemon=True).start()
    soon(lambda: bool(updates.seen), "the greeting")
    assert (updates.seen[0]["order-status"], updates.seen[0]["orderData"]["orderid"]) == ("AB00", "")
    waiting = after_market(smart)
    assert [m["order-status"] for m in updates.seen] == ["AB00", "AB06", "AB08"], updates.seen
    steps.append("after_market")
    feed = Feed(smart)
    soon(lambda: feed.opens == 1, "the market socket")
    until(5)
    at_opening(smart, waiting)
    for step in (instruments, quotes, candles):
        step(smart)
        steps.append(step.__name__)
    stop = orders(smart, updates)
    steps.append("orders")
    money(smart)
    steps.append("money")
    fired = rules(smart)
    steps.append("rules")
    until(21)
    after_stop(smart, updates, stop)
    steps.append("stop")
    until(31)
    after_rule(smart, fired)
    steps.append("rule_fired")
    soon(lambda: feed.of(1, CASH, RELIANCE)[-1]["last_traded_price"] == 141100, "the newest tick")
    packets(feed)
    unsubscribed(feed)
    steps.append("ticks")
    errors(smart)
    steps.append("errors")
    cut_off(feed)
    steps.append("cut_off")
    log_out(smart)
    print(json.dumps({"ok": True, "steps": steps}), file=report)
    os._exit(0)  # The SDK's threads never end.


main()
