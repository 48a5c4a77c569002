"""Fyers' orders, books, positions and GTT: refusals, quirks, limits; and that no request ends outside the envelope."""

from typing import Any

import pytest
from algo_simulator.fyers.testing import FyersUser, order
from algo_simulator.testing import Sim, simulator, ticks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

API = "/api/v3"
ROWS = {"NSE:RELIANCE": ticks([(f"09:15:{second:02}", "2000") for second in range(40)])}


async def _open(sim: Sim, **fields: Any) -> FyersUser:
    """A market that has traded at 2000 and stands still."""
    user = FyersUser(sim)
    await user.world(ROWS, start_time="09:14:59", speed=100, **fields)
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= 1_618_199_101_000)
    await sim.call("POST", "/worlds/w/pause")
    return user


async def test_order_calls_only_from_a_registered_address(sim: Sim) -> None:
    user = await _open(sim, account={"registered_addresses": ["10.0.0.9"]})
    status, answer = await user.call("POST", f"{API}/orders/sync", order())
    assert (status, answer["code"]) == (403, -373)
    assert "127.0.0.1" in answer["message"]
    assert (await user.call("GET", f"{API}/orders"))[1]["orderBook"] == []


async def test_an_order_without_acknowledgement_is_found_by_its_tag(sim: Sim) -> None:
    """Pitfall: code 201 is not an error; the order is looked up, never sent again."""
    user = await _open(sim, account={"quirks": ["unacknowledged"]})
    status, answer = await user.call("POST", f"{API}/orders/sync", order(orderTag="abc1"))
    assert (status, answer["s"], answer["code"], "id" in answer) == (200, "ok", 201, False)
    rows = (await user.call("GET", f"{API}/orders?order_tag=1%3Aabc1"))[1]["orderBook"]
    assert [(row["orderTag"], row["status"]) for row in rows] == [("1:abc1", 6)]


async def test_the_asynchronous_twins_answer_with_the_other_id(sim: Sim) -> None:
    user = await _open(sim)
    status, answer = await user.call("POST", f"{API}/orders/async", order())
    assert (status, answer["code"], answer["message"]) == (200, 1101, "Order queued successfully.")
    row = (await user.call("GET", f"{API}/orders"))[1]["orderBook"][0]
    assert row["id_fyers"] == answer["id_fyers"]
    status, answer = await user.call("DELETE", f"{API}/multi-order/async", [{"id": row["id"]}])
    assert answer["data"][0]["body"]["code"] == 1103
    assert (await user.row(row["id"]))["status"] == 1


async def test_a_large_order_in_slices(sim: Sim) -> None:
    user = await _open(sim, account={"cash": 10**10})
    status, answer = await user.call("POST", f"{API}/orders/sync", order(qty=450_000, isSliceOrder=True))
    assert status == 200, answer
    assert len(answer["data"]) == 3
    rows = (await user.call("GET", f"{API}/orders"))[1]["orderBook"]
    assert [row["qty"] for row in rows] == [200_000, 200_000, 50_000]
    status, answer = await user.call("POST", f"{API}/orders/sync", order(qty=3_000_000, isSliceOrder=True))
    assert (status, answer["code"]) == (400, -99)


async def test_immediate_or_cancel_and_cancel_by_path(sim: Sim) -> None:
    user = await _open(sim)
    assert (await user.row(await user.place(validity="IOC")))["status"] == 1
    resting = await user.place()
    assert (await user.call("DELETE", f"{API}/orders/{resting}/sync"))[1]["code"] == 1103
    status, answer = await user.call("PATCH", f"{API}/orders/sync", {"id": resting, "qty": 11})
    assert (status, answer["code"]) == (400, -161)


async def test_outside_hours_and_by_the_fault_switch(sim: Sim) -> None:
    user = FyersUser(sim)
    await user.world(ROWS)
    status, answer = await user.call("POST", f"{API}/orders/sync", order())
    assert (status, answer["code"]) == (400, -99)
    assert "Market is closed" in answer["message"]
    await sim.call("PATCH", "/worlds/w/faults", {"reject": 1, "reject_in_answer": True})
    answer = (await user.call("POST", f"{API}/orders/sync", order()))[1]
    assert (answer["code"], "Margin Shortfall" in answer["message"]) == (-99, True)


async def test_what_the_end_of_the_session_takes_out_has_expired(sim: Sim) -> None:
    user = await _open(sim)
    resting, cancelled = await user.place(), await user.place()
    assert (await user.call("DELETE", f"{API}/orders/sync", {"id": cancelled}))[1]["code"] == 1103
    held = await user.place(limitPrice=2010.0)
    await sim.call("POST", "/worlds/w/start", {"speed": 0})
    await sim.ended()
    await user.login()
    rows = {row["id"]: row for row in (await user.call("GET", f"{API}/orders"))[1]["orderBook"]}
    # An intraday order is cancelled at the broker's square-off, before the session ends.
    assert (rows[resting]["status"], rows[cancelled]["status"], rows[held]["status"]) == (1, 1, 2)
    squared = [row for row in rows.values() if row["source"] == "A"]
    assert [(row["side"], row["status"], row["orderTag"]) for row in squared] == [(-1, 2, "2:Untagged")]


async def test_a_delivery_order_expires(sim: Sim) -> None:
    user = await _open(sim)
    resting = await user.place(productType="CNC")
    await sim.call("POST", "/worlds/w/start", {"speed": 0})
    await sim.ended()
    row = await user.row(resting)
    assert (row["status"], row["productType"], row["remainingQuantity"]) == (7, "CNC", 0)


async def test_margins_of_orders_not_placed(sim: Sim) -> None:
    user = await _open(sim)
    answer = (await user.call("POST", f"{API}/multiorder/margin", {"data": [order(), order(productType="CNC")]}))[1]
    assert answer["data"]["margin_new_order"] == 19900 / 5 + 19900
    assert answer["data"]["margin_avail"] == 1_000_000
    assert (await user.call("POST", f"{API}/multiorder/margin", {"data": []}))[1]["code"] == -50


async def test_a_gtt_fires_once_and_its_order_carries_the_tag(sim: Sim) -> None:
    """Pitfalls: the list is under `orderBook`, fired and cancelled rows stay, the row does not say which leg fired."""
    user = FyersUser(sim)
    falling = ticks([("09:15:00", "2000"), ("09:15:02", "1950"), ("09:15:03", "2100"), ("09:15:04", "2100")])
    await user.world({"NSE:RELIANCE": falling}, start_time="09:14:59", previous_closes={"NSE:RELIANCE": "2000"})
    legs = {
        "leg1": {"price": 2095.0, "triggerPrice": 2100.0, "qty": 10},
        "leg2": {"price": 1945.0, "triggerPrice": 1950.0, "qty": 10},
    }
    body = {"side": 1, "symbol": "NSE:RELIANCE-EQ", "productType": "CNC", "orderInfo": legs, "orderTag": "g1"}
    status, answer = await user.call("POST", f"{API}/gtt/orders/sync", body)
    assert (status, answer["code"]) == (200, 1101), answer
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= 1_618_199_105_000)
    rows = (await user.call("GET", f"{API}/gtt/orders"))[1]["orderBook"]
    assert [(row["id"], row["ord_status"], row["gtt_oco_ind"]) for row in rows] == [(answer["id"], 2, 2)]
    orders = (await user.call("GET", f"{API}/orders"))[1]["orderBook"]
    assert [(row["orderTag"], row["limitPrice"]) for row in orders] == [("1:GTTg1", 1945.0)]
    status, answer = await user.call("DELETE", f"{API}/gtt/orders/sync", {"id": rows[0]["id"]})
    assert (status, answer["code"]) == (400, -99)


async def test_changing_an_oco_drops_the_leg_that_is_left_out(sim: Sim) -> None:
    """Pitfall: a change replaces the whole set of legs."""
    user = await _open(sim)
    legs = {
        "leg1": {"price": 2095.0, "triggerPrice": 2100.0, "qty": 10},
        "leg2": {"price": 1895.0, "triggerPrice": 1900.0, "qty": 10},
    }
    body = {"side": -1, "symbol": "NSE:RELIANCE-EQ", "productType": "CNC", "orderInfo": legs}
    name = (await user.call("POST", f"{API}/gtt/orders/sync", body))[1]["id"]
    change = {"id": name, "orderInfo": {"leg1": legs["leg1"]}}
    assert (await user.call("PATCH", f"{API}/gtt/orders/sync", change))[1]["code"] == 1102
    [row] = (await user.call("GET", f"{API}/gtt/orders"))[1]["orderBook"]
    assert (row["gtt_oco_ind"], row["qty2"], row["price2_trigger"]) == (1, 0, 0)


async def test_a_stop_is_not_changed_through_the_market(sim: Sim) -> None:
    user = await _open(sim)
    await user.place(limitPrice=2010.0)
    stop = await user.place(side=-1, type=4, limitPrice=1980.0, stopPrice=1985.0)
    for change, code in (
        ({"stopPrice": 2001.0, "limitPrice": 1999.0}, -390),
        ({"stopPrice": 1979.0}, -315),
        ({"type": 3, "stopPrice": 1990.0}, 1102),
        ({"type": 2}, 1102),
    ):
        answer = (await user.call("PATCH", f"{API}/orders/sync", {"id": stop, **change}))[1]
        assert answer["code"] == code, (change, answer)
    row = await user.row(stop)
    assert (row["type"], row["status"], row["limitPrice"], row["tradedPrice"]) == (1, 2, 1990.0, 2000.0)


async def test_the_minute_the_block_and_the_headers(sim: Sim) -> None:
    """Pitfall: the fourth minute over the limit blocks the account for the day."""
    user = await _open(sim)
    clock = sim.servers.worlds.get("w")
    clock.world.state = "running"
    for minute in range(4):
        clock.world.now = 1_618_199_160_000 + minute * 60_000
        codes = []
        for _ in range(205):
            clock.world.now += 110
            codes.append((await user.call("GET", f"{API}/profile"))[0])
        assert codes == [200] * 200 + [429] * 5 if minute < 3 else codes.count(200) == 200
    clock.world.now += 600_000
    async with sim.http.get(f"{user.root}{API}/profile", headers=user.headers) as response:
        answer = await response.json()
        assert (response.status, answer["code"], answer["message"]) == (429, -429, "request limit reached (per day)")
        assert int(response.headers["Retry-After"]) * 1000 >= int(response.headers["X-Retry-After-Ms"]) > 3_600_000


async def test_ten_calls_a_second_by_the_worlds_clock(sim: Sim) -> None:
    user = await _open(sim)
    sim.servers.worlds.get("w").world.state = "running"
    codes = [(await user.call("GET", f"{API}/orders"))[0] for _ in range(12)]
    assert codes == [200] * 10 + [429] * 2
    await sim.call("PATCH", "/worlds/w/faults", {"rate_limit": 1})
    sim.servers.worlds.get("w").world.now += 1_000
    assert (await user.call("GET", f"{API}/orders"))[1]["code"] == -429


@pytest.mark.parametrize(
    ("faults", "status"), [({"fail_before": 1}, 502), ({"fail_after": 1, "fail_status": 504}, 504)]
)
async def test_trouble_of_the_order_system(sim: Sim, faults: dict[str, int], status: int) -> None:
    user = await _open(sim)
    await sim.call("PATCH", "/worlds/w/faults", faults)
    got, answer = await user.call("POST", f"{API}/orders/sync", order())
    assert (got, answer["s"], answer["code"]) == (status, "error", -96)
    book = (await user.call("GET", f"{API}/orders"))[1]["orderBook"]
    assert len(book) == (1 if "fail_after" in faults else 0)


WORDS = ["NSE:RELIANCE-EQ", "INTRADAY", "DAY", "nan", "1e309", "\x00", "é", "1:abc"]
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(WORDS), st.text(max_size=8))
NESTED = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
FIELDS = ["symbol", "qty", "type", "side", "productType", "limitPrice", "stopPrice", "validity", "disclosedQty"]
FIELDS += ["offlineOrder", "orderTag", "id", "orderInfo", "data", "symbols", "exit_all", "pending_orders_cancel"]
FIELDS += ["segment", "grant_type", "code", "appIdHash", "request_key", "fy_id", "resolution", "range_from", "range_to"]
PATHS = ["/orders/sync", "/orders/async", "/multi-order/sync", "/gtt/orders/sync", "/gtt/orders", "/positions"]
PATHS += ["/orders", "/tradebook", "/holdings", "/multiorder/margin", "/validate-authcode", "/token", "/nowhere"]
PATHS = [f"{API}{path}" for path in PATHS]
PATHS += ["/data/quotes", "/data/depth", "/data/history", "/data/symbol-token", "/data/marketStatus", "/%00"]
PATHS += ["/auth/vagator/v2/send_login_otp_v2", "/auth/vagator/v2/verify_otp", "/market-socket", "/order-socket"]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]),
            st.sampled_from(PATHS),
            st.dictionaries(st.sampled_from(FIELDS), NESTED, max_size=8),
            st.binary(max_size=30) | st.none(),
            st.booleans(),
        ),
        min_size=1,
        max_size=9,
    )
)
async def test_no_request_ends_outside_the_envelope(
    calls: list[tuple[str, str, dict[str, Any], bytes | None, bool]],
) -> None:
    async with simulator() as sim:
        user = FyersUser(sim)
        await user.world(ROWS, start_time="09:15:00")
        for method, path, fields, raw, listed in calls:
            body = {**order(), **fields}
            sent: dict[str, Any] = {"data": raw} if raw is not None else {"json": [body] if listed else body}
            query = {name: str(value) for name, value in fields.items()}
            headers = {"Authorization": user.token} if path.endswith("symbol-token") else user.headers
            url = user.root + path
            async with sim.http.request(method, url, params=query, headers=headers, **sent) as response:
                assert response.status < 500, await response.text()
                answer = await response.json()
                assert answer["s"] in (("ok", "no_data") if response.status == 200 else ("error",))
                assert response.status == 200 or answer["code"] < 0
