"""Limits, the registered address and the fault switches, as a client of Angel One sees them."""

from typing import Any

import aiohttp
import pytest
from algo_simulator.angelone.testing import ACCOUNT, ORDER, SECURE, Angel
from algo_simulator.testing import Sim, ticks

FLAT = {"NSE:RELIANCE": ticks([("09:15:00", "2000"), ("09:15:01", "2000")])}
TOO_MANY = "Access denied because of exceeding access rate"
RULE = {
    "tradingsymbol": "RELIANCE-EQ",
    "symboltoken": "2885",
    "exchange": "NSE",
    "transactiontype": "SELL",
    "producttype": "DELIVERY",
    "price": "1890",
    "triggerprice": "1900",
    "qty": "5",
}


async def _angel(sim: Sim, **account: Any) -> Angel:
    """A client of a market that has traded at 2000 and stands still."""
    await sim.world(FLAT, accounts=[], start_time="09:14:59", speed=20)
    await sim.call("POST", "/worlds/w/accounts", {**ACCOUNT, **account}, status=201)
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= 1_618_199_101_000)
    await sim.call("POST", "/worlds/w/pause")
    angel = Angel(sim)
    await angel.log_in()
    return angel


async def _orders(sim: Sim) -> list[dict[str, Any]]:
    book = await sim.call("GET", "/worlds/w/book")
    return list(book["accounts"][ACCOUNT["client_id"]]["orders"])


@pytest.mark.parametrize(
    ("faults", "status", "answer", "stored"),
    [
        ({"fail_before": 1, "fail_status": 502}, 502, "Request Rejected", 0),
        ({"fail_after": 1, "fail_status": 400}, 400, "", 1),
        ({"fail_after": 1, "fail_status": 403}, 403, TOO_MANY, 1),
        ({"rate_limit": 1}, 403, TOO_MANY, 0),
    ],
)
async def test_answers_that_are_no_json(
    sim: Sim, faults: dict[str, Any], status: int, answer: str, stored: int
) -> None:
    angel = await _angel(sim)
    await sim.call("PATCH", "/worlds/w/faults", faults)
    got, body = await angel.send("POST", "order/v1/placeOrder", ORDER)
    assert got == status
    assert answer in body
    assert bool(answer) == bool(body)
    assert len(await _orders(sim)) == stored


async def test_a_good_token_is_called_invalid_once(sim: Sim) -> None:
    angel = await _angel(sim)
    await sim.call("PATCH", "/worlds/w/faults", {"fail_reads": 1, "fail_status": 401})
    status, answer = await angel.send("GET", "user/v1/getRMS")
    assert (status, answer["errorCode"]) == (401, "AG8001")
    assert await angel.get("user/v1/getRMS")


async def test_a_lost_answer_leaves_the_order(sim: Sim) -> None:
    angel = await _angel(sim)
    await sim.call("PATCH", "/worlds/w/faults", {"lose_answers": 1})
    with pytest.raises(aiohttp.ClientError):
        await angel.send("POST", "order/v1/placeOrder", {**ORDER, "ordertag": "lost1"})
    assert [row["tag"] for row in await _orders(sim)] == ["lost1"]


@pytest.mark.parametrize(
    ("kind", "code", "text"),
    [
        ("Band", "AB1007", "Order price is beyond the Limit Price Protection range defined by the exchange."),
        ("Gap", "AB1007", "Permissible range of <10%>"),
        ("Margin", "AB1007", "Insufficient Funds"),
        ("Product", "AB1012", "Product type"),
        ("Closed", "AB1007", "closed"),
    ],
)
async def test_refusals_in_the_answer(sim: Sim, kind: str, code: str, text: str) -> None:
    angel = await _angel(sim)
    await sim.call("PATCH", "/worlds/w/faults", {"reject": 1, "reject_kind": kind, "reject_in_answer": True})
    got, message = await angel.refused("order/v1/placeOrder", ORDER)
    assert (got, text in message) == (code, True), message
    assert not await _orders(sim)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("order/v1/placeOrder", ORDER),
        ("order/v1/modifyOrder", ORDER),
        ("order/v1/cancelOrder", {"variety": "NORMAL", "orderid": "1"}),
        ("/gtt-service/rest/secure/angelbroking/gtt/v1/createRule", RULE),
        ("gtt/v1/modifyRule", RULE),
        ("gtt/v1/cancelRule", RULE),
    ],
)
async def test_order_and_rule_calls_from_an_unregistered_address(sim: Sim, path: str, body: dict[str, str]) -> None:
    angel = await _angel(sim, registered_addresses=["192.0.2.1"])
    status, answer = await angel.send("POST", path, body)
    assert (status, answer["errorCode"], answer["success"]) == (403, "AG7002", False)
    assert answer["message"] == "Access denied: Unregistered IP address. Register your IP before retrying."
    assert await angel.get("order/v1/getOrderBook") is None
    assert await angel.post("gtt/v1/ruleList", {"status": ["FORALL"], "page": 1, "count": 10}) is None


async def test_nine_order_calls_a_second_together(sim: Sim) -> None:
    angel = await _angel(sim)
    clock = sim.servers.worlds.get("w")
    clock.world.state = "running"  # Limits count by the world's clock, which nothing moves here.
    order_id = await angel.place()
    for _ in range(4):
        await angel.post("order/v1/modifyOrder", {**ORDER, "orderid": order_id})
    for _ in range(4):
        await angel.place()
    status, text = await angel.send("POST", "order/v1/cancelOrder", {"variety": "NORMAL", "orderid": order_id})
    assert (status, text) == (403, TOO_MANY)
    clock.world.now += 1_000
    await angel.post("order/v1/cancelOrder", {"variety": "NORMAL", "orderid": order_id})


@pytest.mark.parametrize(
    ("method", "path", "a_second"),
    [
        ("GET", "order/v1/getOrderBook", 1),
        ("GET", "order/v1/getTradeBook", 1),
        ("GET", "order/v1/getPosition", 1),
        ("GET", "portfolio/v1/getHolding", 1),
        ("GET", "portfolio/v1/getAllHolding", 1),
        ("POST", "order/v1/searchScrip", 1),
        ("GET", "user/v1/getRMS", 2),
        ("GET", "user/v1/getProfile", 3),
        ("POST", "historical/v1/getCandleData", 3),
        ("POST", "market/v1/quote", 1),
        ("POST", "order/v1/getLtpData", 10),
        ("POST", "gtt/v1/ruleList", 10),
    ],
)
async def test_limits_a_second(sim: Sim, method: str, path: str, a_second: int) -> None:
    angel = await _angel(sim)
    sim.servers.worlds.get("w").world.state = "running"
    got = [(await angel.send(method, path))[0] for _ in range(a_second + 1)]
    assert got == [200] * a_second + [403]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b'{"quantity": [1]}', b"\xff", b"[" * 3000, b"null"])
async def test_bodies_that_are_none(sim: Sim, body: bytes) -> None:
    angel = await _angel(sim)
    url = f"{angel.root}{SECURE}order/v1/placeOrder"
    async with sim.http.post(url, data=body, headers=angel.headers()) as response:
        answer = await response.json()
    assert (response.status, answer["status"]) == (200, False)
    assert answer["message"]
    assert not await _orders(sim)


async def test_stray_queries_and_unknown_paths(sim: Sim) -> None:
    angel = await _angel(sim)
    async with sim.http.get(f"{angel.root}{SECURE}user/v1/getRMS?%7B%7D", headers=angel.headers()) as response:
        assert (await response.json())["status"] is True
    status, answer = await angel.send("GET", "order/v1/nothing")
    assert (status, answer["status"], answer["message"]) == (404, False, "Not Found")
