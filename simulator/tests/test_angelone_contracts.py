"""Futures and options at Angel One, and the corners of a change: what a contract is called, needs and may do."""

from typing import Any

import pytest
from algo_simulator.angelone.testing import ACCOUNT, ORDER, Angel
from algo_simulator.testing import Sim, ticks

DAY = "2025-08-01"
OPEN = 1_754_019_901_000
CLOSED = 1_754_042_400_000
"""15:30."""
CALL = {"exchange": "NFO", "symboltoken": "44261", "tradingsymbol": "NIFTY07AUG2524500CE", "quantity": "75"}
FUTURE = {"exchange": "NFO", "symboltoken": "64103", "tradingsymbol": "NIFTY28AUG25FUT", "quantity": "75"}
STOP = {"variety": "STOPLOSS", "ordertype": "STOPLOSS_LIMIT", "transactiontype": "SELL"}


async def _angel(sim: Sim, *, now: int = OPEN, **account: Any) -> Angel:
    """A client of a market with a share, a future and an option, each of which has traded."""
    prices = {"NSE:RELIANCE": "1400", "NFO:NIFTY25AUGFUT": "24600", "NFO:NIFTY2580724500CE": "150"}
    rows = {key: ticks([("09:15:00", price), ("09:15:01", price)], DAY) for key, price in prices.items()}
    await sim.world(rows, accounts=[], date=DAY, symbols=list(rows), start_time="09:14:59", end_time="16:00:00")
    await sim.call("POST", "/worlds/w/accounts", {**ACCOUNT, "cash": 10_000_000, **account}, status=201)
    await sim.call("POST", "/worlds/w/start", {"speed": 20 if now == OPEN else 0})
    await sim.until(lambda view: view["now"] >= now)
    await sim.call("POST", "/worlds/w/pause")
    angel = Angel(sim)
    await angel.log_in()
    return angel


async def test_an_option_in_every_book(sim: Sim) -> None:
    angel = await _angel(sim)
    order_id = await angel.place(**CALL, producttype="CARRYFORWARD", price="150")
    row = await angel.row(order_id)
    assert {name: row[name] for name in ("instrumenttype", "strikeprice", "optiontype", "expirydate", "lotsize")} == {
        "instrumenttype": "OPTIDX",
        "strikeprice": 24500.0,
        "optiontype": "CE",
        "expirydate": "07AUG2025",
        "lotsize": "75",
    }
    assert (row["status"], row["producttype"]) == ("complete", "CARRYFORWARD")
    trade = (await angel.get("order/v1/getTradeBook"))[0]
    assert (trade["strikeprice"], trade["marketlot"], trade["multiplier"]) == ("24500.00", "75", "1")
    position = (await angel.get("order/v1/getPosition"))[0]
    assert (position["symbolname"], position["netqty"], position["netvalue"]) == ("NIFTY", "75", "- 11250.00")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({**FUTURE, "producttype": "DELIVERY", "price": "24600"}, "Product type"),
        ({**CALL, "producttype": "CARRYFORWARD", "price": "150", "quantity": "10"}, "multiple of 75"),
        ({**CALL, "producttype": "CARRYFORWARD", "price": "150", "quantity": "1875"}, "freeze quantity"),
    ],
)
async def test_contracts_that_are_rejected(sim: Sim, changes: dict[str, str], text: str) -> None:
    angel = await _angel(sim)
    row = await angel.row(await angel.place(**changes))
    assert (row["status"], text in row["text"]) == ("rejected", True), row["text"]


async def test_the_range_of_an_options_stop_is_wider(sim: Sim) -> None:
    angel = await _angel(sim)
    await angel.place(**CALL, **STOP, producttype="CARRYFORWARD", triggerprice="140", price="90")
    far = {**ORDER, **CALL, **STOP, "producttype": "CARRYFORWARD", "triggerprice": "140", "price": "80"}
    assert "<40%>" in (await angel.refused("order/v1/placeOrder", far))[1]


async def test_margins_and_open_interest_of_contracts(sim: Sim) -> None:
    angel = await _angel(sim)
    leg = {"exchange": "NFO", "qty": 75, "price": 0, "productType": "CARRYFORWARD", "orderType": "LIMIT"}
    body = {
        "positions": [{**leg, "token": "64103", "tradeType": "SELL"}, {**leg, "token": "44261", "tradeType": "BUY"}]
    }
    parts = (await angel.post("margin/v1/batch", body))["marginComponents"]
    assert (parts["spanMargin"], parts["netPremium"]) == (1_845_000, 11_250)
    unknown = {"positions": [{**leg, "token": "1", "tradeType": "BUY"}]}
    assert (await angel.refused("margin/v1/batch", unknown))[0] == "AB1018"
    span = {"interval": "ONE_MINUTE", "fromdate": "2025-08-01 09:15", "todate": "2025-08-01 09:15"}
    rows = await angel.post("historical/v1/getOIData", {**span, "exchange": "NFO", "symboltoken": "64103"})
    assert rows == [{"time": "2025-08-01T09:15:00+05:30", "oi": 0}]
    cash = {**span, "exchange": "NSE", "symboltoken": "2885"}
    assert (await angel.refused("historical/v1/getOIData", cash))[0] == "AB1007"


async def test_changes_that_are_refused_in_the_answer(sim: Sim) -> None:
    angel = await _angel(sim)
    resting = await angel.place(price="1390")
    change = {**ORDER, "price": "1391", "orderid": resting}
    for changes, code in (
        ({"orderid": "1"}, "AB1013"),
        ({"variety": "AMO"}, "AB1008"),
        ({"variety": "STOPLOSS"}, "AB1008"),
        ({"ordertype": "MARKET"}, "AB1007"),
        ({"producttype": "CNC"}, "AB1012"),
        ({"tradingsymbol": "TCS-EQ"}, "AB1009"),
        ({"quantity": ""}, "AB1007"),
        ({"price": "-1"}, "AB1007"),
    ):
        assert (await angel.refused("order/v1/modifyOrder", {**change, **changes}))[0] == code, changes
    assert (await angel.row(resting))["price"] == 1390.0


async def test_a_final_order_takes_no_change(sim: Sim) -> None:
    angel = await _angel(sim)
    done = await angel.place(price="1401")
    assert (await angel.row(done))["status"] == "complete"
    code, message = await angel.refused("order/v1/modifyOrder", {**ORDER, "orderid": done})
    assert (code, "filled" in message) == ("AB1007", True)


async def test_a_change_below_what_is_filled_is_refused(sim: Sim) -> None:
    angel = await _angel(sim)
    await sim.call("PATCH", "/worlds/w/faults", {"liquidity": 4})
    market = sim.servers.worlds.get("w").world.markets["NSE:RELIANCE"]
    market.book.left = 4
    part = await angel.place(price="1400")
    row = await angel.row(part)
    assert (row["status"], row["filledshares"], row["unfilledshares"]) == ("open", "4", "6")
    change = {**ORDER, "orderid": part, "price": "1400", "quantity": "3"}
    assert (await angel.refused("order/v1/modifyOrder", change))[0] == "AB1007"
    await angel.post("order/v1/cancelOrder", {"variety": "NORMAL", "orderid": part})
    row = await angel.row(part)
    assert (row["status"], row["filledshares"], row["cancelsize"]) == ("cancelled", "4", "6")


async def test_a_protected_stop_at_market_where_it_is_taken(sim: Sim) -> None:
    angel = await _angel(sim, quirks=["market-orders"])
    stop = {**STOP, "ordertype": "STOPLOSS_MARKET", "triggerprice": "1390", "price": "0"}
    row = await angel.row(await angel.place(**stop))
    assert (row["ordertype"], row["status"], row["triggerprice"]) == ("STOPLOSS_LIMIT", "trigger pending", 1390.0)
    assert row["price"] < 1390


async def test_after_the_close_an_order_waits_for_a_morning_that_does_not_come(sim: Sim) -> None:
    angel = await _angel(sim, now=CLOSED)
    order_id = await angel.place(price="1390")
    row = await angel.row(order_id)
    assert (row["variety"], row["status"]) == ("AMO", "after market order req received")
    await angel.post("order/v1/cancelOrder", {"variety": "NORMAL", "orderid": order_id})
    assert (await angel.row(order_id))["status"] == "cancelled after market order"
