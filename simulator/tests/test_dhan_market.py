"""Files, quotes, candles, portfolio, forever orders and controls of the simulated Dhan."""

import asyncio
import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from algo_simulator.dhan.instrument_files import compact_csv
from algo_simulator.dhan.testing import CLIENT, FLAT, RELIANCE, DhanClient
from algo_simulator.testing import Sim, ticks


@pytest.fixture
def dhan(sim: Sim) -> DhanClient:
    return DhanClient(sim)


async def _rows(sim: Sim, url: str) -> list[dict[str, str]]:
    async with sim.http.get(url) as response:
        assert response.status == 200
        return list(csv.DictReader(io.StringIO(await response.text())))


async def test_scrip_masters(dhan: DhanClient, sim: Sim) -> None:
    compact = f"{dhan.root}/files/api-data/api-scrip-master.csv"
    await dhan.world()
    rows = {row["SEM_TRADING_SYMBOL"]: row for row in await _rows(sim, compact)}
    share, index = rows["RELIANCE"], rows["NIFTY"]
    assert (share["SEM_SMST_SECURITY_ID"], share["SEM_SEGMENT"], share["SEM_TICK_SIZE"]) == (RELIANCE, "E", "5.0000")
    assert (share["SEM_SERIES"], share["SEM_LOT_UNITS"], share["SEM_EXPIRY_DATE"]) == ("EQ", "1.0", "")
    assert (index["SEM_SMST_SECURITY_ID"], index["SEM_SEGMENT"], index["SEM_INSTRUMENT_NAME"]) == ("13", "I", "INDEX")
    assert ",".join(index.values()) == "NSE,I,13,INDEX,0,NIFTY,1.0,Nifty 50,0001-01-01,,XX,0.0500,,INDEX,X,NIFTY"
    detailed = await _rows(sim, f"{dhan.root}/files/api-data/api-scrip-master-detailed.csv")
    assert len(detailed) == len(rows)
    found = next(row for row in detailed if row["SECURITY_ID"] == RELIANCE)
    assert (found["ISIN"], found["LOT_SIZE"], found["MTF_LEVERAGE"]) == ("INE002A01018", "1.0", "0.0")
    indices = await _rows(sim, f"{dhan.api}/instrument/IDX_I")
    assert {row["SEGMENT"] for row in indices} == {"I"}


async def test_quotes_by_segment_and_id(dhan: DhanClient) -> None:
    await dhan.standing_market()
    status, answer = await dhan.call("POST", "/marketfeed/quote", {"NSE_EQ": [2885, 999999], "IDX_I": ["13"]})
    assert status == 200
    assert list(answer["data"]) == ["NSE_EQ"]
    quote = answer["data"]["NSE_EQ"][RELIANCE]
    assert quote["last_price"] == 2000.0
    assert quote["ohlc"] == {"open": 2000.0, "close": 2000.0, "high": 2000.0, "low": 2000.0}
    assert len(quote["depth"]["buy"]) == len(quote["depth"]["sell"]) == 5
    assert quote["last_trade_time"] == "12/04/2021 09:15:01"
    assert quote["upper_circuit_limit"] == 2200.0


async def test_one_quote_a_second(dhan: DhanClient, sim: Sim) -> None:
    await dhan.standing_market()
    sim.servers.worlds.get("w").world.state = "running"  # Limits count by the world's clock, which nothing moves here.
    seen = [await dhan.call("POST", "/marketfeed/ltp", {"NSE_EQ": [2885]}) for _ in range(2)]
    assert [status for status, _ in seen] == [200, 429]
    assert seen[1][1]["status"] == "failed"
    assert list(seen[1][1]["data"]) == ["805"]


@pytest.mark.parametrize("body", [{}, {"NSE_EQ": 5}, {"NSE_EQ": ["x"]}, {"NSE_EQ": list(range(1001))}, []])
async def test_bad_quote_requests(dhan: DhanClient, body: Any) -> None:
    await dhan.world()
    status, answer = await dhan.call("POST", "/marketfeed/ltp", body)
    assert (status, answer["status"]) == (400, "failed")


async def test_the_client_id_of_quotes(dhan: DhanClient) -> None:
    await dhan.world()
    status, answer = await dhan.call("POST", "/marketfeed/ltp", {"NSE_EQ": [2885]}, **{"client-id": "1"})
    assert (status, list(answer["data"])) == (401, ["810"])
    status, answer = await dhan.call("POST", "/marketfeed/ltp", {"NSE_EQ": [2885]}, **{"access-token": "x"})
    assert (status, list(answer["data"])) == (401, ["808"])


async def test_candles_in_columns(dhan: DhanClient, sim: Sim) -> None:
    rows = ticks([("09:15:00", "2000"), ("09:15:30", "2010"), ("09:16:10", "2005")])
    await dhan.world({"NSE:RELIANCE": rows}, start_time="09:15:00", end_time="09:20:00")
    await sim.call("POST", "/worlds/w/start")
    await sim.ended()
    asked = {"securityId": RELIANCE, "exchangeSegment": "NSE_EQ", "instrument": "EQUITY"}
    span = {"fromDate": "2021-04-12 09:15:00", "toDate": "2021-04-12 15:30:00"}
    status, answer = await dhan.call("POST", "/charts/intraday", {**asked, **span, "interval": 1, "oi": False})
    assert status == 200
    assert answer["high"] == [2010.0, 2005.0]
    assert answer["timestamp"] == [1_618_199_100.0, 1_618_199_160.0]
    assert answer["open_interest"] == []
    daily = {**asked, "fromDate": "2021-04-12", "toDate": "2021-04-13"}
    status, answer = await dhan.call("POST", "/charts/historical", {**daily, "oi": True})
    assert (answer["open"], answer["close"], answer["open_interest"]) == ([2000.0], [2005.0], [0.0])
    assert answer["timestamp"] == [1_618_165_800.0]
    for wrong in ({"instrument": "INDEX"}, {"toDate": "2021-04-12"}):
        assert (await dhan.call("POST", "/charts/historical", {**daily, **wrong}))[1]["errorCode"] in (
            "DH-907",
            "DH-905",
        )
    long = {**asked, "fromDate": "2021-01-01", "toDate": "2021-04-12"}
    assert (await dhan.call("POST", "/charts/intraday", long))[1]["errorCode"] == "DH-905"


async def test_funds_margins_and_holdings(dhan: DhanClient) -> None:
    held = [{"symbol": "NSE:RELIANCE", "quantity": 12, "t1_quantity": 2, "average_price": "1900"}]
    await dhan.standing_market(account={"holdings": held})
    funds = (await dhan.call("GET", "/fundlimit"))[1]
    assert (funds["availabelBalance"], funds["sodLimit"], funds["utilizedAmount"]) == (1_000_000.0, 1_000_000.0, 0.0)
    holding = (await dhan.call("GET", "/holdings"))[1][0]
    assert (holding["totalQty"], holding["dpQty"], holding["t1Qty"], holding["avgCostPrice"]) == (14, 12, 2, 1900.0)
    asked = {
        "exchangeSegment": "NSE_EQ",
        "transactionType": "BUY",
        "quantity": 10,
        "securityId": RELIANCE,
        "price": 2000,
    }
    margin = (await dhan.call("POST", "/margincalculator", {**asked, "productType": "INTRADAY"}))[1]
    assert (margin["totalMargin"], margin["leverage"], margin["insufficientBalance"]) == (4000.0, "5X", 0.0)
    legs = [{**asked, "productType": "CNC"}, {**asked, "productType": "INTRADAY"}]
    many = (await dhan.call("POST", "/margincalculator/multi", {"scripList": legs}))[1]
    assert (many["total_margin"], many["equity_margin"], many["fo_margin"]) == ("24000.00", "24000.00", "0.00")
    ledger = (await dhan.call("GET", "/ledger?from-date=2021-04-01&to-date=2021-04-30"))[1]
    assert ledger[0]["runbal"] == "1000000.00"


async def test_no_holdings_is_an_error(dhan: DhanClient) -> None:
    await dhan.world()
    assert (await dhan.call("GET", "/holdings"))[1]["errorCode"] == "DH-1111"
    assert await dhan.call("GET", "/positions") == (200, [])


def forever(**changes: Any) -> dict[str, Any]:
    return {
        "orderFlag": "SINGLE",
        "transactionType": "SELL",
        "exchangeSegment": "NSE_EQ",
        "productType": "CNC",
        "orderType": "LIMIT",
        "validity": "DAY",
        "securityId": RELIANCE,
        "quantity": 10,
        "price": 1975.0,
        "triggerPrice": 1980.0,
        "price1": 0.0,
        "triggerPrice1": 0.0,
        "quantity1": 0,
        **changes,
    }


HELD = {"holdings": [{"symbol": "NSE:RELIANCE", "quantity": 20, "average_price": "1900"}]}
OCO = {"orderFlag": "OCO", "price1": 2050.0, "triggerPrice1": 2045.0, "quantity1": 10}


async def test_forever_orders(dhan: DhanClient) -> None:
    await dhan.standing_market(account=HELD)
    status, single = await dhan.call("POST", "/forever/orders", forever())
    assert (status, single["orderStatus"]) == (200, "PENDING")
    _, oco = await dhan.call("POST", "/forever/orders", forever(**OCO))
    rows = (await dhan.call("GET", "/forever/orders"))[1]
    assert [(row["orderId"], row["orderType"], row["legName"], row["orderStatus"]) for row in rows] == [
        (single["orderId"], "SINGLE", "ENTRY_LEG", "CONFIRM"),
        (oco["orderId"], "OCO", "STOP_LOSS_LEG", "CONFIRM"),
        (oco["orderId"], "OCO", "TARGET_LEG", "CONFIRM"),
    ]
    change = {"orderFlag": "OCO", "orderType": "LIMIT", "legName": "TARGET_LEG", "quantity": 10, "price": 2060}
    path = f"/forever/orders/{oco['orderId']}"
    assert (await dhan.call("PUT", path, {**change, "triggerPrice": 2055, "validity": "DAY"}))[0] == 200
    target = (await dhan.call("GET", "/forever/orders"))[1][2]
    assert (target["price"], target["triggerPrice"]) == (2060.0, 2055.0)
    assert (await dhan.call("PUT", path, {**change, "legName": "ENTRY_LEG"}))[1]["errorCode"] == "DH-905"
    assert (await dhan.call("DELETE", path))[1]["orderStatus"] == "CANCELLED"
    assert (await dhan.call("DELETE", path))[1]["errorCode"] == "DH-906"
    for wrong in ({"productType": "INTRADAY"}, {"triggerPrice": 1980.01}, {**OCO, "triggerPrice1": 1970.0}):
        assert (await dhan.call("POST", "/forever/orders", forever(**wrong)))[1]["errorCode"] == "DH-906"


@pytest.mark.parametrize(("quirks", "tag"), [([], "NA"), (["forever_child_tag"], "gtt")])
async def test_a_forever_order_fires(dhan: DhanClient, sim: Sim, quirks: list[str], tag: str) -> None:
    rows = ticks([("09:15:00", "2000"), ("09:15:05", "2000"), ("09:15:10", "1980"), ("09:15:12", "1979")])
    account = {**HELD, "quirks": quirks}
    await dhan.world({"NSE:RELIANCE": rows}, account=account, start_time="09:15:00", end_time="09:16:00")
    socket = await dhan.order_socket()
    await sim.until(lambda _: bool(sim.servers.worlds.get("w").world.accounts[CLIENT].streams))
    status, placed = await dhan.call("POST", "/forever/orders", forever(**OCO, correlationId="gtt"))
    assert status == 200
    await sim.call("POST", "/worlds/w/start")
    await sim.ended()
    fired = (await dhan.call("GET", "/orders"))[1]
    assert [(row["orderStatus"], row["correlationId"], row["productType"]) for row in fired] == [("TRADED", tag, "CNC")]
    assert [row["orderStatus"] for row in (await dhan.call("GET", "/forever/orders"))[1]] == ["TRADED", "CANCELLED"]
    alert = (await asyncio.wait_for(socket.receive_json(), 5))["Data"]
    assert (alert["algoOrdNo"], alert["orderNo"]) == (placed["orderId"], fired[0]["orderId"])


async def test_kill_switch(dhan: DhanClient) -> None:
    await dhan.standing_market()
    placed = await dhan.place()
    on = "/killswitch?killSwitchStatus=ACTIVATE"
    assert (await dhan.call("POST", on))[1]["errorCode"] == "DH-906"
    await dhan.call("DELETE", f"/orders/{placed}")
    answer = (await dhan.call("POST", on))[1]
    assert answer == {"dhanClientId": CLIENT, "killSwitchStatus": "Kill Switch has been successfully activated"}
    assert (await dhan.call("GET", "/killswitch"))[1]["killSwitchStatus"] == "ACTIVATE"
    assert (await dhan.call("POST", "/forever/orders", forever()))[1]["errorCode"] == "DH-906"
    await dhan.call("POST", "/killswitch?killSwitchStatus=DEACTIVATE")
    await dhan.place()


async def test_exit_of_everything(dhan: DhanClient) -> None:
    await dhan.standing_market()
    await dhan.place(price=2010)
    resting = await dhan.place()
    assert (await dhan.call("DELETE", "/positions"))[1]["status"] == "SUCCESS"
    assert (await dhan.row(resting))["orderStatus"] == "CANCELLED"
    assert (await dhan.call("GET", "/positions"))[1][0]["netQty"] == 0


async def test_exit_at_a_loss(dhan: DhanClient, sim: Sim) -> None:
    rows = ticks([("09:15:00", "2000"), ("09:15:01", "2000"), ("09:15:10", "1990"), ("09:15:12", "1990")])
    await dhan.world({"NSE:RELIANCE": rows}, start_time="09:14:59", end_time="09:16:00", speed=20)
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= 1_618_199_101_000)
    await sim.call("POST", "/worlds/w/pause")
    await dhan.place(price=2010)
    wanted = {"profitValue": 500, "lossValue": 50, "productType": ["INTRADAY"], "enableKillSwitch": True}
    assert (await dhan.call("POST", "/pnlExit", wanted))[1]["pnlExitStatus"] == "ACTIVE"
    assert (await dhan.call("GET", "/pnlExit"))[1]["loss"] == "50.00"
    await sim.call("POST", "/worlds/w/start", {"speed": 0})
    await sim.ended()
    assert (await dhan.call("GET", "/positions"))[1][0]["netQty"] == 0
    assert (await dhan.call("GET", "/pnlExit"))[1] == {"pnlExitStatus": "DISABLED"}
    assert (await dhan.call("GET", "/killswitch"))[1]["killSwitchStatus"] == "ACTIVATE"


async def test_registered_addresses(dhan: DhanClient) -> None:
    await dhan.world({"NSE:RELIANCE": FLAT}, registered_addresses=["198.51.100.7"])
    found = (await dhan.call("GET", "/ip/getIP"))[1]
    assert (found["primaryIP"], found["ipMatchStatus"]) == ("198.51.100.7", "MISMATCH")
    assert (await dhan.call("POST", "/orders", {}))[1]["errorCode"] == "DH-911"
    wanted = {"ip": "203.0.113.9", "ipFlag": "PRIMARY"}
    assert (await dhan.call("POST", "/ip/setIP", wanted))[1]["status"] == "SUCCESS"
    assert (await dhan.call("PUT", "/ip/modifyIP", wanted))[1]["errorCode"] == "DH-905"
    assert (await dhan.call("GET", "/ip/getIP"))[1]["modifyDatePrimary"] == "2021-04-12"


@pytest.mark.data
def test_the_compact_file_looks_like_the_real_one(data_dir: Path) -> None:
    text = (data_dir / "scrip_master" / "dhan_api-scrip-master.csv").read_text("utf-8")
    header, *lines = text.splitlines()
    ours = compact_csv(date(2026, 9, 1)).splitlines()
    assert ours[0] == header
    real = {tuple(line.split(",")[:3]): line.split(",") for line in lines}
    made = {tuple(line.split(",")[:3]): line.split(",") for line in ours[1:]}
    common = real.keys() & made.keys()
    assert {key[2] for key in common} == {"2885", "11536", "13"}
    people = (7, 15)  # Names for people: those of the simulated exchange are its own.
    for key in common:
        pairs = zip(real[key], made[key], strict=True)
        assert [a for n, (a, b) in enumerate(pairs) if n not in people and a != b] == [], key


async def test_contracts_and_the_option_chain(dhan: DhanClient) -> None:
    await dhan.world(
        date="2025-08-01",
        symbols=["NSE:NIFTY", "NFO:NIFTY2580724500CE", "NFO:NIFTY25AUGFUT"],
        previous_closes={"NSE:NIFTY": "24500", "NFO:NIFTY2580724500CE": "150"},
        start_time="09:15:00",
    )
    asked = {"UnderlyingScrip": 13, "UnderlyingSeg": "IDX_I"}
    assert (await dhan.call("POST", "/optionchain/expirylist", asked))[1]["data"] == ["2025-08-07"]
    answer = (await dhan.call("POST", "/optionchain", {**asked, "Expiry": "2025-08-07"}))[1]["data"]
    assert answer["last_price"] == 24500.0
    assert answer["oc"]["24500.000000"]["ce"]["previous_close_price"] == 150.0
    status, again = await dhan.call("POST", "/optionchain", {**asked, "Expiry": "2025-08-07"})
    assert (status, again["errorCode"]) == (429, "DH-904")
    by_id = {line.split(",")[2]: line for line in compact_csv(date(2025, 8, 1)).splitlines()}
    assert by_id["44261"].startswith("NSE,D,44261,OPTIDX,0,NIFTY-Aug2025-24500-CE,75.0,NIFTY 07 AUG 24500 CALL,")
    assert by_id["64103"].split(",")[3:6] == ["FUTIDX", "0", "NIFTY-Aug2025-FUT"]
    order = {"exchangeSegment": "NSE_FNO", "securityId": "64103", "productType": "CNC"}
    refused = {**order, "transactionType": "BUY", "orderType": "LIMIT", "validity": "DAY", "quantity": 75, "price": 1}
    assert (await dhan.call("POST", "/orders", refused))[1]["errorMessage"] == "CNC is not allowed in this segment"
