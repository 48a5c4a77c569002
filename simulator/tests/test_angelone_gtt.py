"""GTT rules of Angel One: every code of a refusal, the life of a rule, and what it sends."""

from typing import Any

import pytest
from algo_simulator.angelone.testing import ACCOUNT, Angel
from algo_simulator.testing import Sim, ticks

ROWS = {"NSE:RELIANCE": ticks([("09:15:00", "2000"), ("09:15:01", "2000"), ("09:15:20", "1899"), ("09:16:00", "1899")])}
SINGLE = {
    "tradingsymbol": "RELIANCE-EQ",
    "symboltoken": "2885",
    "exchange": "NSE",
    "transactiontype": "SELL",
    "producttype": "DELIVERY",
    "price": "1890.00",
    "triggerprice": "1900.00",
    "qty": "5",
    "disclosedqty": "0",
    "timeperiod": "365",
}
OCO = {**SINGLE, "gttType": "OCO", "price": "2100", "triggerprice": "2100", "stoplossprice": "1890"}
OCO["stoplosstriggerprice"] = "1900"
CREATE, MODIFY, CANCEL = "gtt/v1/createRule", "gtt/v1/modifyRule", "gtt/v1/cancelRule"


async def _angel(sim: Sim) -> Angel:
    """A client with 20 shares, of a market that has traded at 2000 and stands still."""
    await sim.world(ROWS, accounts=[], start_time="09:14:59", speed=20, previous_closes={"NSE:RELIANCE": "1990"})
    held = [{"symbol": "RELIANCE", "quantity": 20, "average_price": "1900"}]
    await sim.call("POST", "/worlds/w/accounts", {**ACCOUNT, "holdings": held}, status=201)
    await _until(sim, 1_618_199_101_000)
    angel = Angel(sim)
    await angel.log_in()
    return angel


async def _until(sim: Sim, now: int) -> None:
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= now)
    await sim.call("POST", "/worlds/w/pause")


async def _listed(angel: Angel, *statuses: str, page: int = 1, count: int = 10) -> Any:
    return await angel.post("gtt/v1/ruleList", {"status": list(statuses), "page": page, "count": count})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"qty": "0"}, "AB9006"),
        ({"qty": "x"}, "AB9006"),
        ({"disclosedqty": "x"}, "AB9007"),
        ({"price": "0"}, "AB9008"),
        ({"price": "1890.01"}, "AB9008"),
        ({"triggerprice": ""}, "AB9009"),
        ({"triggerprice": "2000"}, "AB9009"),
        ({"exchange": "NFO"}, "AB9010"),
        ({"symboltoken": "1"}, "AB9011"),
        ({"tradingsymbol": "TCS-EQ"}, "AB9012"),
        ({"transactiontype": "HOLD"}, "AB9014"),
        ({"producttype": "INTRADAY"}, "AB9015"),
        ({"timeperiod": "366"}, "AB9016"),
        ({"gttType": "OCO"}, "AB9009"),
    ],
)
async def test_refused_rules(sim: Sim, changes: dict[str, str], code: str) -> None:
    angel = await _angel(sim)
    assert (await angel.refused(CREATE, {**SINGLE, **changes}))[0] == code
    assert await _listed(angel, "FORALL") is None


async def test_the_life_of_a_rule(sim: Sim) -> None:
    angel = await _angel(sim)
    rule = (await angel.post(f"/gtt-service/rest/secure/angelbroking/{CREATE}", SINGLE))["id"]
    row = await angel.post("gtt/v1/ruleDetails", {"id": rule})
    assert (row["status"], row["triggerprice"], row["price"], row["qty"]) == ("NEW", "1900.00", "1890.00", "5")
    assert (row["createddate"], row["clientid"]) == ("2021-04-12T03:45:01.000Z", "S000123")
    assert row["expirydate"].startswith("2022-04-12")
    change = {**SINGLE, "id": rule, "price": "1880", "timeperiod": "30"}
    assert await angel.post(MODIFY, change) == {"id": rule}
    assert (await angel.refused(MODIFY, {**OCO, "id": rule}))[0] == "AB9001"
    row = (await _listed(angel, "NEW", "ACTIVE"))[0]
    assert (row["price"], row["expirydate"][:10]) == ("1880.00", "2021-05-12")
    await angel.post(CANCEL, {"id": rule, "symboltoken": "2885", "exchange": "NSE"})
    assert (await angel.refused(CANCEL, {"id": rule, "symboltoken": "2885", "exchange": "NSE"}))[0] == "AB9001"
    assert await _listed(angel, "NEW", "ACTIVE", "SENTTOEXCHANGE") is None
    assert [row["status"] for row in await _listed(angel, "FORALL")] == ["CANCELLED"]


async def test_an_oco_fires_one_leg(sim: Sim) -> None:
    angel = await _angel(sim)
    rule = (await angel.post(CREATE, OCO))["id"]
    row = await angel.post("gtt/v1/ruleDetails", {"id": rule})
    assert (row["gttType"], row["stoplossprice"], row["stoplosstriggerprice"]) == ("OCO", "1890.00", "1900.00")
    await _until(sim, 1_618_199_121_000)
    assert (await angel.post("gtt/v1/ruleDetails", {"id": rule}))["status"] == "SENTTOEXCHANGE"
    child = (await angel.get("order/v1/getOrderBook"))[0]
    assert (child["status"], child["transactiontype"], child["quantity"], child["producttype"]) == (
        "complete",
        "SELL",
        "5",
        "DELIVERY",
    )
    assert (child["ordertag"], child["averageprice"]) == ("", 1899.0)


async def test_pages_of_the_list(sim: Sim) -> None:
    angel = await _angel(sim)
    made = [(await angel.post(CREATE, SINGLE))["id"] for _ in range(3)]
    assert [row["id"] for row in await _listed(angel, "FORALL", count=2)] == [made[2], made[1]]
    assert [row["id"] for row in await _listed(angel, "FORALL", page=2, count=2)] == [made[0]]
    for body, code in (
        ({"status": [], "page": 1, "count": 1}, "AB9004"),
        ({"status": ["NEVER"], "page": 1, "count": 1}, "AB9004"),
        ({"status": ["NEW"], "page": 0, "count": 1}, "AB9017"),
        ({"status": ["NEW"], "page": 1, "count": "x"}, "AB9018"),
    ):
        assert (await angel.refused("gtt/v1/ruleList", body))[0] == code
    assert (await angel.refused("gtt/v1/ruleDetails", {"id": "x"}))[0] == "AB9013"
