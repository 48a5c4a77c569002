"""Angel One's REST protocol: orders, books, portfolio, market data."""

import asyncio
from typing import Any

import pytest
from algo_simulator.angelone.testing import ACCOUNT, ORDER, Angel
from algo_simulator.testing import Sim, ticks

FLAT = {"NSE:RELIANCE": ticks([("09:15:00", "2000"), ("09:15:01", "2000"), ("09:20:00", "2000")])}
OPEN = 1_618_199_101_000
"""A second after the first trade."""


async def market(sim: Sim, *, quirks: tuple[str, ...] = (), until: int = OPEN, **fields: Any) -> Angel:
    """A world that has traded at 2000 and stands still there, and a client that is logged in."""
    account = {**ACCOUNT, "quirks": quirks, **fields.pop("account", {})}
    spec = {
        "name": "w",
        "date": "2021-04-12",
        "symbols": ["NSE:RELIANCE"],
        "speed": 20,
        "start_time": "09:14:59",
        "previous_closes": {"NSE:RELIANCE": "1980"},
        "accounts": [account],
        **fields,
    }
    await sim.call("POST", "/worlds", spec, status=201)
    for key, raw in FLAT.items():
        await sim.call("PUT", f"/worlds/w/ticks/{key.replace(':', '/')}", raw)
    if until:
        await sim.call("POST", "/worlds/w/start")
        await sim.until(lambda view: view["now"] >= until)
        await sim.call("POST", "/worlds/w/pause")
    angel = Angel(sim)
    await angel.log_in()
    return angel


async def test_empty_books_are_null(sim: Sim) -> None:
    angel = await market(sim)
    for path in (
        "order/v1/getOrderBook",
        "order/v1/getTradeBook",
        "order/v1/getPosition",
        "portfolio/v1/getHolding",
        "portfolio/v1/getAllHolding",
    ):
        assert await angel.get(path) is None


async def test_an_order_rests_is_changed_and_cancelled(sim: Sim) -> None:
    angel = await market(sim)
    made = await angel.post("order/v1/placeOrder", {**ORDER, "ordertag": "s1a7q0001"})
    assert made["script"] == "RELIANCE-EQ"
    assert (len(made["orderid"]), made["orderid"][:6]) == (15, "210412")
    row = await angel.get(f"order/v1/details/{made['uniqueorderid']}")
    assert {name: row[name] for name in ("variety", "ordertype", "producttype", "duration", "status")} == {
        "variety": "NORMAL",
        "ordertype": "LIMIT",
        "producttype": "INTRADAY",
        "duration": "DAY",
        "status": "open",
    }
    assert (row["price"], row["quantity"], row["filledshares"], row["unfilledshares"]) == (1990.0, "10", "0", "10")
    assert (row["ordertag"], row["symboltoken"], row["updatetime"]) == ("s1a7q0001", "2885", "12-Apr-2021 09:15:01")
    change = {**ORDER, "orderid": made["orderid"], "price": 1991, "quantity": 12}
    assert await angel.post("order/v1/modifyOrder", change) == {
        "orderid": made["orderid"],
        "uniqueorderid": made["uniqueorderid"],
    }
    row = await angel.row(made["orderid"])
    assert (row["status"], row["price"], row["quantity"]) == ("open", 1991.0, "12")
    await angel.post("order/v1/cancelOrder", {"variety": "NORMAL", "orderid": made["orderid"]})
    row = (await angel.get("order/v1/getOrderBook"))[0]
    assert (row["status"], row["orderstatus"], row["cancelsize"]) == ("cancelled", "cancelled", "12")
    assert (await angel.refused("order/v1/cancelOrder", {"variety": "NORMAL", "orderid": made["orderid"]}))[
        0
    ] == "AB1007"


async def test_a_fill_shows_in_every_book(sim: Sim) -> None:
    angel = await market(sim)
    order_id = await angel.place(price="2005")
    row = await angel.row(order_id)
    assert (row["status"], row["averageprice"], row["filledshares"]) == ("complete", 2000.0, "10")
    assert (row["fillid"], row["filltime"]) != ("", "")
    trade = (await angel.get("order/v1/getTradeBook"))[0]
    assert (trade["orderid"], trade["fillprice"], trade["fillsize"], trade["filltime"]) == (
        order_id,
        "2000.00",
        "10",
        "09:15:01",
    )
    assert (trade["tradevalue"], trade["multiplier"]) == ("20000.00", "-1")
    position = (await angel.get("order/v1/getPosition"))[0]
    assert (position["netqty"], position["netvalue"], position["netprice"]) == ("10", "- 20000.00", "2000.00")
    funds = await angel.get("user/v1/getRMS")
    assert (funds["net"], funds["availablecash"], funds["utiliseddebits"]) == (
        "996000.0000",
        "996000.0000",
        "4000.0000",
    )
    assert funds["utilisedspan"] is None


async def test_a_stop_waits_and_is_turned_into_the_exit(sim: Sim) -> None:
    angel = await market(sim)
    await angel.place(price="2005")
    stop = {**ORDER, "variety": "STOPLOSS", "ordertype": "STOPLOSS_LIMIT", "transactiontype": "SELL"}
    order_id = await angel.place(**{**stop, "triggerprice": "1985", "price": "1980"})
    row = await angel.row(order_id)
    assert (row["variety"], row["ordertype"], row["status"], row["triggerprice"]) == (
        "STOPLOSS",
        "STOPLOSS_LIMIT",
        "trigger pending",
        1985.0,
    )
    wrong = {"variety": "NORMAL", "orderid": order_id}
    assert (await angel.refused("order/v1/cancelOrder", wrong))[1].startswith("Invalid Order Variety.")
    await angel.post("order/v1/modifyOrder", {**stop, "ordertype": "LIMIT", "orderid": order_id, "price": "1995"})
    row = await angel.row(order_id)
    assert (row["variety"], row["ordertype"], row["status"]) == ("NORMAL", "LIMIT", "complete")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"variety": "AMO"}, "AB1008"),
        ({"variety": "ROBO", "producttype": "BO"}, "AB2002"),
        ({"variety": "STOPLOSS"}, "AB1008"),
        ({"ordertype": "STOPLOSS_LIMIT", "triggerprice": "2010"}, "AB1008"),
        ({"producttype": "CNC"}, "AB1012"),
        ({"ordertype": "MARKET", "price": "0"}, "AB1007"),
        ({"duration": "IOC"}, "AB1007"),
        ({"symboltoken": "11536"}, "AB1009"),
        ({"tradingsymbol": "RELIANCE"}, "AB1009"),
        ({"exchange": "NFO"}, "AB1009"),
        ({"ordertag": "x" * 20}, "AB4008"),
        ({"quantity": "ten"}, "AB1007"),
        ({"quantity": "-1"}, "AB1007"),
        ({"price": "NaN"}, "AB1007"),
        ({"price": None}, "AB1007"),
        ({"transactiontype": "HOLD"}, "AB1007"),
        (
            {"variety": "STOPLOSS", "ordertype": "STOPLOSS_LIMIT", "triggerprice": "2010", "price": "2300"},
            "AB1007",
        ),
    ],
)
async def test_refused_requests_leave_no_row(sim: Sim, changes: dict[str, Any], code: str) -> None:
    angel = await market(sim)
    got, _ = await angel.refused("order/v1/placeOrder", {**ORDER, **changes})
    assert got == code
    assert await angel.get("order/v1/getOrderBook") is None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"price": "1990.01"}, "tick size"),
        ({"quantity": "5000"}, "Margin Exceeds"),
        ({"price": "2500"}, "circuit"),
        ({"producttype": "CARRYFORWARD"}, "Product type"),
        ({"quantity": "0"}, "quantity"),
    ],
)
async def test_success_is_no_acceptance_the_row_tells_the_reason(sim: Sim, changes: dict[str, Any], text: str) -> None:
    angel = await market(sim)
    row = await angel.row(await angel.place(**changes))
    assert row["status"] == "rejected"
    assert text in row["text"]


async def test_tags_are_not_unique_and_come_back(sim: Sim) -> None:
    angel = await market(sim)
    for _ in range(2):
        await angel.place(ordertag="same-tag-19-letters")
    assert [row["ordertag"] for row in await angel.get("order/v1/getOrderBook")] == ["same-tag-19-letters"] * 2


async def test_numbers_are_taken_like_text_and_may_come_as_text(sim: Sim) -> None:
    angel = await market(sim, quirks=("text-numbers",))
    row = await angel.row(await angel.place(price=1990.5, quantity=10))
    assert (row["price"], row["averageprice"], row["quantity"]) == ("1990.50", "0.00", "10")


async def test_market_orders_where_they_are_still_taken(sim: Sim) -> None:
    angel = await market(sim, quirks=("market-orders", "ioc-orders"))
    row = await angel.row(await angel.place(ordertype="MARKET", price="0"))
    assert (row["status"], row["averageprice"]) == ("complete", 2000.0)
    row = await angel.row(await angel.place(duration="IOC"))
    assert (row["status"], row["duration"]) == ("cancelled", "IOC")


async def test_an_order_before_the_opening_waits_at_the_broker(sim: Sim) -> None:
    angel = await market(sim, until=0)
    order_id = await angel.place(price="2005")
    row = await angel.row(order_id)
    assert (row["variety"], row["status"]) == ("AMO", "after market order req received")
    await angel.post("order/v1/modifyOrder", {**ORDER, "orderid": order_id, "price": "2010"})
    row = await angel.row(order_id)
    assert (row["status"], row["price"]) == ("modify after market order req received", 2010.0)
    cancel = {"variety": "NORMAL", "orderid": order_id}
    assert await angel.refused("order/v1/cancelOrder", cancel) == ("AB1007", "Cancel Order Response : Bad Input")
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= OPEN)
    await sim.call("POST", "/worlds/w/pause")
    row = await angel.row(order_id)
    assert (row["variety"], row["status"], row["averageprice"]) == ("AMO", "complete", 2010.0)


async def test_a_waiting_order_is_cancelled_early_in_the_morning(sim: Sim) -> None:
    angel = await market(sim, until=0, start_time="08:40:00")
    order_id = await angel.place()
    await angel.post("order/v1/cancelOrder", {"variety": "NORMAL", "orderid": order_id})
    row = await angel.row(order_id)
    assert (row["status"], row["cancelsize"]) == ("cancelled after market order", "10")


async def test_quotes(sim: Sim) -> None:
    angel = await market(sim)
    body = {"mode": "FULL", "exchangeTokens": {"NSE": ["2885", "1", ""]}}
    data = await angel.post("market/v1/quote/", body)
    full = data["fetched"][0]
    assert (full["tradingSymbol"], full["symbolToken"], full["ltp"], full["close"]) == (
        "RELIANCE-EQ",
        "2885",
        2000.0,
        1980.0,
    )
    assert (full["netChange"], full["percentChange"], full["exchTradeTime"]) == (20.0, 1.01, "12-Apr-2021 09:15:01")
    assert [len(full["depth"][side]) for side in ("buy", "sell")] == [5, 5]
    assert [row["errorCode"] for row in data["unfetched"]] == ["AB1018", "AB4018"]
    one = {"exchange": "NSE", "tradingsymbol": "RELIANCE-EQ", "symboltoken": "2885"}
    for path in ("order/v1/getLtpData", "/order-service/rest/secure/angelbroking/order/v1/getLtpData/"):
        assert (await angel.post(path, one))["ltp"] == 2000.0


@pytest.mark.parametrize(
    ("mode", "keys"),
    [
        ("LTP", {"exchange", "tradingSymbol", "symbolToken", "ltp"}),
        ("OHLC", {"exchange", "tradingSymbol", "symbolToken", "ltp", "open", "high", "low", "close"}),
    ],
)
async def test_short_quotes(sim: Sim, mode: str, keys: set[str]) -> None:
    angel = await market(sim)
    data = await angel.post("market/v1/quote", {"mode": mode, "exchangeTokens": {"NSE": ["2885"]}})
    assert set(data["fetched"][0]) == keys


@pytest.mark.parametrize(
    "body",
    [
        {"mode": "ALL", "exchangeTokens": {"NSE": ["2885"]}},
        {"mode": "LTP", "exchangeTokens": {}},
        {"mode": "LTP", "exchangeTokens": {"NSE": "2885"}},
        {"mode": "LTP", "exchangeTokens": {"NSE": ["1"] * 51}},
    ],
)
async def test_quotes_that_cannot_be(sim: Sim, body: dict[str, Any]) -> None:
    angel = await market(sim)
    assert (await angel.refused("market/v1/quote", body))[0] == "AB1007"


async def test_candles(sim: Sim) -> None:
    angel = await market(sim)
    body = {"exchange": "NSE", "symboltoken": "2885", "interval": "ONE_MINUTE"}
    span = {"fromdate": "2021-04-12 09:15", "todate": "2021-04-12 09:15"}
    bars = await angel.post("historical/v1/getCandleData", {**body, **span})
    assert bars == [["2021-04-12T09:15:00+05:30", 2000.0, 2000.0, 2000.0, 2000.0, 200]]
    for changes, text in (
        ({"todate": "2021-04-12 15:30"}, "greater than current"),
        ({"fromdate": "2021-03-01 09:15"}, "30 days"),
        ({"interval": "TICK"}, "interval"),
        ({"fromdate": "12-04-2021"}, "fromdate"),
    ):
        code, message = await _unlimited(angel, {**body, **span, **changes})
        assert text in message, (code, message)
    none = {"fromdate": "2021-04-09 09:15", "todate": "2021-04-09 15:30"}
    assert (await _unlimited(angel, {**body, **none})) == ("", "SUCCESS")


async def _unlimited(angel: Angel, body: dict[str, Any]) -> tuple[str, str]:
    """The call, made again while it is over the limit of three a second."""
    while True:
        await asyncio.sleep(0.5)
        status, answer = await angel.send("POST", "historical/v1/getCandleData", body)
        if status == 200:
            assert answer["data"] is None
            return answer["errorcode"], answer["message"]


async def test_the_scrip_master_and_its_search(sim: Sim) -> None:
    angel = await market(sim, symbols=["NSE:RELIANCE", "NSE:NIFTY"])
    rows = await angel.send("GET", "/files/OpenAPI_File/files/OpenAPIScripMaster.json", headers={"X-PrivateKey": ""})
    listed = {(row["exch_seg"], row["token"]): row for row in rows[1]}
    share, index = listed["NSE", "2885"], listed["NSE", "99926000"]
    assert (share["symbol"], share["tick_size"], share["strike"], share["lotsize"]) == (
        "RELIANCE-EQ",
        "5.000000",
        "-1.000000",
        "1",
    )
    assert (index["symbol"], index["instrumenttype"], index["tick_size"]) == ("Nifty 50", "AMXIDX", "0.000000")
    found = await angel.post("order/v1/searchScrip", {"exchange": "NSE", "searchscrip": "reli"})
    assert found == [{"exchange": "NSE", "tradingsymbol": "RELIANCE-EQ", "symboltoken": "2885"}]


async def test_holdings(sim: Sim) -> None:
    held = {"symbol": "RELIANCE", "quantity": 20, "t1_quantity": 5, "average_price": "1900"}
    angel = await market(sim, account={"holdings": [held]})
    row = (await angel.get("portfolio/v1/getHolding"))[0]
    assert (row["tradingsymbol"], row["quantity"], row["t1quantity"], row["averageprice"]) == (
        "RELIANCE-EQ",
        25,
        5,
        1900.0,
    )
    assert (row["profitandloss"], row["pnlpercentage"]) == (2500, 5.26)
    whole = await angel.get("portfolio/v1/getAllHolding")
    assert whole["totalholding"] == {
        "totalholdingvalue": 50000.0,
        "totalinvvalue": 47500.0,
        "totalprofitandloss": 2500.0,
        "totalpnlpercentage": 5.26,
    }


async def test_the_margin_calculator(sim: Sim) -> None:
    angel = await market(sim)
    one = {"exchange": "NSE", "qty": 10, "price": 0, "token": "2885", "tradeType": "BUY", "orderType": "LIMIT"}
    body = {"positions": [{**one, "productType": "INTRADAY"}, {**one, "productType": "DELIVERY", "price": 1990.0}]}
    data = await angel.post("margin/v1/batch", body)
    assert data["totalMarginRequired"] == 4000 + 19900
    assert data["marginComponents"]["deliveryMargin"] == 19900
    assert (await angel.refused("margin/v1/batch", {"positions": [{**one, "productType": "X"}]}))[0] == "AB1012"
    assert (await angel.refused("margin/v1/batch", {"positions": []}))[0] == "AB1007"
