"""GTT as Kite writes it: placing, changing, firing, and what it refuses."""

import json
from typing import Any

import pytest
from algo_simulator.testing import ACCOUNT, Sim, ticks

PRICES = ["2000"] * 4 + ["1990", "1989"] + ["2000"] * 30
ROWS = {"NSE:RELIANCE": ticks([(f"09:15:{second:02}", price) for second, price in enumerate(PRICES)])}
START = 1_618_199_100_000
HOLDING = {"symbol": "RELIANCE", "quantity": 10, "average_price": "1500.5", "t1_quantity": 2}


async def _open(sim: Sim, **account: Any) -> None:
    """A market that has traded at 2000 and stands still; the account has twelve shares."""
    spec = {**ACCOUNT, "holdings": [HOLDING], **account}
    await sim.world(ROWS, start_time="09:14:59", previous_closes={"NSE:RELIANCE": "1980"}, accounts=[spec], speed=20)
    await _until(sim, 1)


async def _until(sim: Sim, seconds: int) -> None:
    """Let the market run on to so many seconds after 09:15."""
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= START + seconds * 1000)
    await sim.call("POST", "/worlds/w/pause")


def _form(*legs: tuple[float, float], kind: str = "", order: dict[str, Any] | None = None, **condition: Any) -> Any:
    """A GTT form of (trigger, limit) legs."""
    base = {"exchange": "NSE", "tradingsymbol": "RELIANCE"}
    orders = [
        {**base, "transaction_type": "SELL", "quantity": 10, "order_type": "LIMIT", "product": "CNC", "price": price}
        | (order or {})
        for _, price in legs
    ]
    when = {**base, "trigger_values": [trigger for trigger, _ in legs], "last_price": 2000, **condition}
    return {
        "type": kind or ("single" if len(legs) == 1 else "two-leg"),
        "condition": json.dumps(when),
        "orders": json.dumps(orders),
    }


async def _placed(sim: Sim, *legs: tuple[float, float]) -> int:
    status, answer = await sim.kite_call("POST", "/gtt/triggers", _form(*legs))
    assert status == 200, answer
    return int(answer["data"]["trigger_id"])


async def _shown(sim: Sim, number: int) -> Any:
    status, answer = await sim.kite_call("GET", f"/gtt/triggers/{number}")
    assert status == 200, answer
    return answer["data"]


async def test_a_trigger_is_placed_changed_and_deleted(sim: Sim) -> None:
    await _open(sim)
    number = await _placed(sim, (1950, 1940))
    row = await _shown(sim, number)
    assert (row["status"], row["type"], row["user_id"]) == ("active", "single", "SM0001")
    assert row["condition"] == {
        "exchange": "NSE",
        "tradingsymbol": "RELIANCE",
        "instrument_token": 738561,
        "last_price": 2000.0,
        "trigger_values": [1950.0],
    }
    assert row["orders"][0]["result"] is None
    changed = await sim.kite_call("PUT", f"/gtt/triggers/{number}", _form((1960, 1955)))
    assert changed == (200, {"status": "success", "data": {"trigger_id": number}})
    assert (await _shown(sim, number))["orders"][0]["price"] == 1955
    assert (await sim.kite_call("DELETE", f"/gtt/triggers/{number}"))[1]["data"] == {"trigger_id": number}
    assert [row["status"] for row in (await sim.kite_call("GET", "/gtt/triggers"))[1]["data"]] == ["deleted"]
    for method, form in (("PUT", _form((1960, 1955))), ("DELETE", None)):
        assert (await sim.kite_call(method, f"/gtt/triggers/{number}", form))[0] == 400


async def test_one_of_two_legs_fires_and_its_order_is_an_ordinary_one(sim: Sim) -> None:
    await _open(sim)
    number = await _placed(sim, (1990, 1985), (2050, 2045))
    await _until(sim, 10)
    row = await _shown(sim, number)
    assert row["status"] == "triggered"
    result = row["orders"][0]["result"]
    assert (result["triggered_at"], result["order_result"]["status"]) == (1990.0, "success")
    assert row["orders"][1]["result"] is None
    order = (await sim.kite_call("GET", f"/orders/{result['order_result']['order_id']}"))[1]["data"][-1]
    assert (order["status"], order["product"], order["average_price"], order["tag"]) == (
        "COMPLETE",
        "CNC",
        1990.0,
        None,
    )
    held = (await sim.kite_call("GET", "/portfolio/holdings"))[1]["data"][0]
    assert (held["quantity"], held["used_quantity"], held["t1_quantity"]) == (0, 10, 2)
    net = (await sim.kite_call("GET", "/portfolio/positions"))[1]["data"]["net"][0]
    assert (net["quantity"], net["product"]) == (-10, "CNC")


async def test_a_child_that_is_refused_says_so_in_its_result(sim: Sim) -> None:
    await _open(sim, holdings=[])
    number = await _placed(sim, (1990, 1985))
    await _until(sim, 10)
    row = await _shown(sim, number)
    result = row["orders"][0]["result"]["order_result"]
    assert row["status"] == "triggered"
    assert (result["status"], result["order_id"]) == ("failed", "")
    assert "0 shares to sell" in result["rejection_reason"]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (_form((2000, 1990)), "equal to the last price"),
        (_form((1990, 1985), (1995, 1990)), "second trigger price less than the last price"),
        (_form((2010, 1985), (2020, 1990)), "first trigger price more than the last price"),
        (_form((1990, 1985), (2050, 2045), order={"transaction_type": "BUY"}), "not allowed for equity"),
        (_form((1990, 1985), order={"product": "MIS"}), "product"),
        (_form((1990, 1985), order={"order_type": "MARKET"}), "order_type"),
        (_form((1990, 0)), "price"),
        (_form((1990, 1985.01)), "tick size"),
        (_form((1990, 1985), order={"quantity": 0}), "orders"),
        (_form((1990, 1985), kind="two-leg"), "two-leg"),
        (_form((1990, 1985), kind="three"), "type"),
        (_form((1990, 1985), tradingsymbol="NOPE"), "does not exist"),
        ({**_form((1990, 1985)), "condition": "{"}, "condition"),
        ({**_form((1990, 1985)), "orders": '[{"price": 1}]'}, "orders"),
    ],
)
async def test_what_kite_refuses(sim: Sim, form: dict[str, Any], text: str) -> None:
    await _open(sim)
    status, answer = await sim.kite_call("POST", "/gtt/triggers", form)
    assert (status, answer["error_type"]) == (400, "InputException"), answer
    assert text in answer["message"]
    assert (await sim.kite_call("GET", "/gtt/triggers"))[1]["data"] == []


async def test_unknown_triggers(sim: Sim) -> None:
    await _open(sim)
    for number in ("7", "x", "٣"):
        assert (await sim.kite_call("GET", f"/gtt/triggers/{number}"))[0] == 404


@pytest.mark.parametrize(("quirks", "status"), [([], 200), (["gtt_address"], 403)])
async def test_the_registered_address_is_asked_for_only_with_the_quirk(
    sim: Sim, quirks: list[str], status: int
) -> None:
    await _open(sim, registered_addresses=["203.0.113.7"], quirks=quirks)
    assert (await sim.kite_call("POST", "/gtt/triggers", _form((1990, 1985))))[0] == status


async def test_holdings_of_a_quiet_day(sim: Sim) -> None:
    await _open(sim)
    row = (await sim.kite_call("GET", "/portfolio/holdings"))[1]["data"][0]
    assert (row["tradingsymbol"], row["isin"], row["quantity"], row["opening_quantity"]) == (
        "RELIANCE",
        "INE002A01018",
        10,
        12,
    )
    assert (row["average_price"], row["pnl"], row["day_change"]) == (1500.5, 12 * (2000 - 1500.5), 20.0)
    summary = (await sim.kite_call("GET", "/portfolio/holdings/summary"))[1]["data"]
    assert (summary["invested_amount"], summary["current_value"]) == (18_006.0, 24_000.0)
    compact = (await sim.kite_call("GET", "/portfolio/holdings/compact"))[1]["data"]
    assert compact[0]["quantity"] == 10


async def test_a_holding_must_be_a_symbol_of_the_world(sim: Sim) -> None:
    spec = {**ACCOUNT, "holdings": [{**HOLDING, "symbol": "TCS"}]}
    body = {"name": "w", "date": "2021-04-12", "symbols": ["RELIANCE"], "accounts": [spec]}
    assert "NSE:TCS" in (await sim.call("POST", "/worlds", body, status=422))["detail"]
