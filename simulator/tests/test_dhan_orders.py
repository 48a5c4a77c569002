"""Orders, books and refusals of the simulated Dhan."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from algo_simulator.dhan import bodies
from algo_simulator.dhan.errors import DhanError
from algo_simulator.dhan.order_forms import read_order
from algo_simulator.dhan.testing import CLIENT, FLAT, RELIANCE, DhanClient, order
from algo_simulator.testing import Sim, ticks
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def dhan(sim: Sim) -> DhanClient:
    return DhanClient(sim)


async def refusal(
    dhan: DhanClient, method: str = "POST", path: str = "/orders", **changes: Any
) -> tuple[int, str, str]:
    body = order(**changes) if method == "POST" else changes
    status, answer = await dhan.call(method, path, body)
    return status, answer["errorCode"], answer["errorMessage"]


async def test_a_resting_order_in_the_books(dhan: DhanClient) -> None:
    await dhan.standing_market()
    placed = await dhan.place(correlationId="my-tag_1")
    row = await dhan.row(placed)
    assert row == {
        "dhanClientId": CLIENT,
        "orderId": placed,
        "exchangeOrderId": row["exchangeOrderId"],
        "correlationId": "my-tag_1",
        "orderStatus": "PENDING",
        "transactionType": "BUY",
        "exchangeSegment": "NSE_EQ",
        "tradingSymbol": "RELIANCE",
        "securityId": RELIANCE,
        "productType": "INTRADAY",
        "orderType": "LIMIT",
        "validity": "DAY",
        "quantity": 10,
        "disclosedQuantity": 0,
        "price": 1990.0,
        "triggerPrice": 0.0,
        "afterMarketOrder": False,
        "boProfitValue": 0.0,
        "boStopLossValue": 0.0,
        "legName": "NA",
        "createTime": row["createTime"],
        "updateTime": row["updateTime"],
        "exchangeTime": row["updateTime"],
        "drvExpiryDate": "0001-01-01",
        "drvOptionType": "NA",
        "drvStrikePrice": 0.0,
        "omsErrorCode": "0",
        "omsErrorDescription": "",
        "algoId": "0",
        "remainingQuantity": 10,
        "averageTradedPrice": 0.0,
        "filledQty": 0,
    }
    assert row["createTime"].startswith("2021-04-12 09:15:0")
    assert int(row["exchangeOrderId"]) > 0
    assert (await dhan.call("GET", "/orders"))[1] == [row]
    assert (await dhan.call("GET", "/orders/external/my-tag_1"))[1] == [row]


async def test_shapes_of_one_order(dhan: DhanClient) -> None:
    await dhan.standing_market(account={"quirks": ["order_object", "unknown_order_empty"]})
    placed = await dhan.place(correlationId="with space")
    assert (await dhan.call("GET", f"/orders/{placed}"))[1]["orderId"] == placed
    assert (await dhan.call("GET", "/orders/external/with%20space"))[1]["orderId"] == placed
    assert await dhan.call("GET", "/orders/1") == (200, [])


async def test_an_unknown_order(dhan: DhanClient) -> None:
    await dhan.standing_market()
    for path in ("/orders/1", "/orders/external/none"):
        status, answer = await dhan.call("GET", path)
        assert (status, answer["errorCode"], answer["errorType"]) == (400, "DH-905", "Input_Exception")
    assert await dhan.call("GET", "/trades/1") == (200, [])
    assert (await refusal(dhan, "DELETE", "/orders/1"))[:2] == (400, "DH-905")


async def test_modify_takes_the_total_quantity(dhan: DhanClient) -> None:
    await dhan.standing_market()
    placed = await dhan.place()
    change = {
        "orderId": placed,
        "orderType": "LIMIT",
        "legName": "",
        "quantity": 12,
        "price": "1991.5",
        "validity": "DAY",
    }
    status, answer = await dhan.call("PUT", f"/orders/{placed}", {**change, "triggerPrice": 0, "disclosedQuantity": 0})
    assert (status, answer) == (200, {"orderId": placed, "orderStatus": "TRANSIT"})
    row = await dhan.row(placed)
    assert (row["quantity"], row["price"], row["orderStatus"]) == (12, 1991.5, "PENDING")
    assert await dhan.call("DELETE", f"/orders/{placed}") == (200, {"orderId": placed, "orderStatus": "CANCELLED"})
    row = await dhan.row(placed)
    assert (row["orderStatus"], row["remainingQuantity"]) == ("CANCELLED", 0)
    assert (await refusal(dhan, "DELETE", f"/orders/{placed}"))[:2] == (400, "DH-906")
    assert (await refusal(dhan, "PUT", f"/orders/{placed}", **change))[:2] == (400, "DH-906")


async def test_twenty_five_modifications(dhan: DhanClient, sim: Sim) -> None:
    await dhan.standing_market()
    placed = await dhan.place()
    order_of_account = sim.servers.worlds.get("w").world.accounts[CLIENT].orders[placed]
    order_of_account.modifications = 24
    change = {"orderType": "LIMIT", "quantity": 10, "price": 1980}
    assert (await dhan.call("PUT", f"/orders/{placed}", change))[0] == 200
    assert (await refusal(dhan, "PUT", f"/orders/{placed}", **change))[:2] == (400, "DH-906")


async def test_fill_stop_exit_and_position(dhan: DhanClient) -> None:
    await dhan.standing_market()
    bought = await dhan.place(price=2010)
    row = await dhan.row(bought)
    assert (row["orderStatus"], row["averageTradedPrice"], row["filledQty"]) == ("TRADED", 2000.0, 10)
    stop = await dhan.place(transactionType="SELL", orderType="STOP_LOSS", price=1980, triggerPrice=1985)
    row = await dhan.row(stop)
    assert (row["orderStatus"], row["orderType"], row["triggerPrice"]) == ("PENDING", "STOP_LOSS", 1985.0)
    position = (await dhan.call("GET", "/positions"))[1][0]
    assert (position["positionType"], position["netQty"], position["buyAvg"]) == ("LONG", 10, 2000.0)
    # The exit is the stop, modified into a market order: that becomes a protected limit.
    await dhan.call("PUT", f"/orders/{stop}", {"orderType": "MARKET", "quantity": 10, "price": 0, "validity": "DAY"})
    row = await dhan.row(stop)
    assert (row["orderStatus"], row["orderType"], row["price"]) == ("TRADED", "LIMIT", 1990.0)
    trades = (await dhan.call("GET", "/trades"))[1]
    assert (await dhan.call("GET", "/trades/"))[1] == trades
    assert [(trade["orderId"], trade["tradedQuantity"], trade["tradedPrice"]) for trade in trades] == [
        (bought, 10, 2000.0),
        (stop, 10, 2000.0),
    ]
    assert (await dhan.call("GET", f"/trades/{stop}"))[1] == trades[1:]
    position = (await dhan.call("GET", "/positions"))[1][0]
    assert (position["positionType"], position["netQty"], position["realizedProfit"]) == ("CLOSED", 0, 0.0)
    history = (await dhan.call("GET", "/trades/2021-04-01/2021-04-12/0"))[1]
    assert [row["createTime"] for row in history] == ["NA", "NA"]
    assert (await dhan.call("GET", "/trades/2021-04-01/2021-04-12/1"))[1] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"securityId": "999999"},
        {"exchangeSegment": "NSE"},
        {"quantity": 0},
        {"quantity": 1.5},
        {"price": "x"},
        {"price": None},
        {"price": 0},
        {"orderType": "SL"},
        {"correlationId": "a" * 26},
        {"correlationId": "dot.ted"},
        {"validity": "GTC"},
        {"disclosedQuantity": 2},
        {"dhanClientId": "1000000099"},
    ],
    ids=str,
)
async def test_refusals_of_the_request(dhan: DhanClient, changes: dict[str, Any]) -> None:
    await dhan.world({"NSE:RELIANCE": FLAT})
    assert (await refusal(dhan, **changes))[:2] == (400, "DH-905")


async def test_refusals_of_the_order(dhan: DhanClient, sim: Sim) -> None:
    await dhan.standing_market()
    sell = {"transactionType": "SELL", "orderType": "STOP_LOSS"}
    assert await refusal(dhan, **sell, price=1985, triggerPrice=1980) == (
        400,
        "DH-906",
        "Trigger Price should be greater than Price",
    )
    assert (await refusal(dhan, orderType="STOP_LOSS", price=2010, triggerPrice=2015))[1] == "DH-906"
    assert (await refusal(dhan, price=1990.01))[1] == "DH-906"
    assert (await refusal(dhan, productType="BO"))[1] == "DH-906"
    assert (await refusal(dhan, **{**sell, "orderType": "STOP_LOSS_MARKET"}, triggerPrice=1980))[1] == "DH-906"
    await sim.call("PATCH", "/worlds/w/faults", {"refuse_address": True})
    assert (await refusal(dhan))[:2] == (400, "DH-911")
    assert (await dhan.call("GET", "/orders"))[1] == []


async def test_rejections_are_in_the_book(dhan: DhanClient) -> None:
    await dhan.standing_market()
    rich = await dhan.row(await dhan.place(quantity=5000))
    assert rich["orderStatus"] == "REJECTED"
    assert "FUND LIMIT INSUFFICIENT" in rich["omsErrorDescription"]
    assert (rich["exchangeOrderId"], rich["exchangeTime"]) == ("0", "0001-01-01 00:00:00")
    passed = await dhan.row(
        await dhan.place(transactionType="SELL", orderType="STOP_LOSS", price=2009, triggerPrice=2010)
    )
    assert passed["orderStatus"] == "REJECTED"
    assert "last traded price" in passed["omsErrorDescription"]


async def test_market_orders_are_protected_limits(dhan: DhanClient) -> None:
    await dhan.standing_market()
    row = await dhan.row(await dhan.place(orderType="MARKET", price=0))
    assert (row["orderType"], row["price"], row["orderStatus"]) == ("LIMIT", 2010.0, "TRADED")


async def test_a_stop_market_order_that_trades_at_once(dhan: DhanClient) -> None:
    await dhan.standing_market(account={"quirks": ["stop_market_at_once"]})
    row = await dhan.row(
        await dhan.place(transactionType="SELL", orderType="STOP_LOSS_MARKET", price=0, triggerPrice=1950)
    )
    assert (row["orderType"], row["orderStatus"], row["triggerPrice"]) == ("LIMIT", "TRADED", 0.0)


async def test_slices(dhan: DhanClient) -> None:
    await dhan.standing_market(account={"cash": 10**9})
    status, answer = await dhan.call("POST", "/orders/slicing", order(quantity=450_000))
    assert status == 200
    assert [row["quantity"] for row in (await dhan.call("GET", "/orders"))[1]] == [200_000, 200_000, 50_000]
    assert len({slice_["orderId"] for slice_ in answer}) == 3


async def test_an_ioc_order_leaves_nothing_behind(dhan: DhanClient) -> None:
    await dhan.standing_market()
    row = await dhan.row(await dhan.place(validity="IOC"))
    assert (row["orderStatus"], row["validity"]) == ("CANCELLED", "IOC")


async def test_the_end_of_the_day(dhan: DhanClient, sim: Sim) -> None:
    await dhan.world(
        {"NSE:RELIANCE": ticks([("09:15:00", "2000"), ("15:29:59", "2000")])}, start_time="09:15:00", speed=0
    )
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= 1_618_199_101_000)
    placed = await dhan.place(productType="CNC")
    await sim.ended()
    assert (await dhan.row(placed))["orderStatus"] == "EXPIRED"
    assert "Market is Closed" in (await refusal(dhan))[2]
    code, text = (await refusal(dhan, "DELETE", f"/orders/{placed}"))[1:]
    assert (code, text) == ("DH-906", "Market is Closed! You cannot modify/cancel an order now.")


async def test_ten_orders_a_second(dhan: DhanClient, sim: Sim) -> None:
    await dhan.standing_market()
    world = sim.servers.worlds.get("w").world
    world.state = "running"  # Limits count by the world's clock, which nothing moves here.
    statuses = []
    for _ in range(12):
        status, answer = await dhan.call("POST", "/orders", order())
        statuses.append(status)
        if status != 200:
            assert (answer["errorCode"], answer["errorType"]) == ("DH-904", "Rate_Limit")
            assert status == 429
    assert statuses == [200] * 10 + [429] * 2
    world.now += 1_000
    assert (await dhan.call("POST", "/orders", order()))[0] == 200


async def test_shapes_of_unknown_paths(dhan: DhanClient, sim: Sim) -> None:
    await dhan.world()
    status, answer = await dhan.call("GET", "/nothing")
    assert (status, sorted(answer)) == (404, ["error", "path", "status", "timestamp"])
    async with sim.http.get(f"{dhan.root}/orders") as response:
        assert (response.status, (await response.json())["internalErrorCode"]) == (400, "RS-9005")
    assert (await dhan.call("POST", "/super/orders", {}))[1]["errorMessage"] == "/v2/super/orders is not simulated"


async def test_faults_in_dhans_words(dhan: DhanClient, sim: Sim) -> None:
    await dhan.standing_market()

    async def fault(**switches: Any) -> None:
        await sim.call("PATCH", "/worlds/w/faults", switches)

    await fault(fail_before=1, fail_status=500)
    assert (await refusal(dhan))[:2] == (500, "DH-908")
    await fault(fail_after=1, fail_status=502)
    assert (await refusal(dhan))[:2] == (502, "DH-909")
    await fault(rate_limit=1)
    assert (await refusal(dhan))[:2] == (429, "DH-904")
    await fault(reject=1, reject_in_answer=True)
    assert (await refusal(dhan))[:2] == (400, "DH-906")
    assert len((await dhan.call("GET", "/orders"))[1]) == 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def refused(call: Callable[[], object]) -> bool:
    """Whether a reader refuses with DH-905 or DH-906; any other failure is one of the test."""
    try:
        call()
    except DhanError as error:
        return error.status == 400
    return True


@given(raw=st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_refused(raw: bytes) -> None:
    body: dict[str, object] = {}
    assert refused(lambda: body.update(bodies.read_body(raw)))
    for name in body:
        for read in (bodies.text, bodies.number, bodies.price, bodies.quantity, bodies.flag):
            assert refused(lambda read=read, name=name: read(body, name))  # type: ignore[misc]


@given(value=_JSON, name=st.sampled_from(sorted(order())))
def test_any_field_of_an_order_is_read_or_refused(value: Any, name: str) -> None:
    body = {**order(), "dhanClientId": CLIENT, name: value}
    assert refused(lambda: read_order(body, CLIENT, {}, stop_market_at_once=False))
