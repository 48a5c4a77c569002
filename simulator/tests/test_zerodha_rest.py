"""Kite's REST protocol: sessions, refusals, limits; and that no request ever ends outside the envelope."""

import hashlib
from typing import Any

import pytest
from aiohttp import WSMsgType
from algo_simulator.testing import ACCOUNT, DAY, Sim, simulator, ticks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROWS = {"NSE:RELIANCE": ticks([(f"09:15:{second:02}", "2000") for second in range(40)])}


async def _open(sim: Sim, **fields: Any) -> None:
    """A market that has traded at 2000 and stands still."""
    await sim.world(ROWS, start_time="09:14:59", speed=20, **fields)
    await sim.call("POST", "/worlds/w/start")
    await sim.until(lambda view: view["now"] >= 1_618_199_101_000)
    await sim.call("POST", "/worlds/w/pause")


async def _token(sim: Sim, form: dict[str, str]) -> tuple[int, Any]:
    async with sim.http.post(f"{sim.kite}/session/token", data=form) as response:
        return response.status, await response.json()


async def test_a_request_token_is_good_once_and_needs_the_secret(sim: Sim) -> None:
    await sim.world()
    url = f"{sim.kite}/connect/login?v=3&api_key=simkey0001"
    async with sim.http.get(url, allow_redirects=False) as response:
        assert response.status == 302
        location = response.headers["Location"]
    assert location.startswith("http://127.0.0.1:1/callback?x=1&")
    token = location.partition("request_token=")[2]
    checksum = hashlib.sha256(f"simkey0001{token}simsecret99".encode()).hexdigest()
    form = {"api_key": "simkey0001", "request_token": token, "checksum": checksum}
    assert (await _token(sim, {**form, "checksum": "0" * 64}))[0] == 403
    status, answer = await _token(sim, form)
    assert status == 200
    assert len(answer["data"]["login_time"]) == 19
    status, answer = await _token(sim, form)
    assert (status, answer["error_type"]) == (403, "TokenException")


async def test_the_published_checksum_vector(sim: Sim) -> None:
    expected = "90709f6e9232ccd836c3720eb6825e3ef112a28f7c9d66a10ecd41c0e19f127f"
    assert hashlib.sha256(b"simkey0001rqtok123simsecret99").hexdigest() == expected


async def test_an_unknown_app_and_one_without_redirect_cannot_log_in(sim: Sim) -> None:
    await sim.call(
        "POST",
        "/worlds",
        {"name": "w", "date": DAY, "symbols": ["TCS"], "accounts": [{**ACCOUNT, "redirect_url": ""}]},
        status=201,
    )
    for key, status in (("nope", 403), ("simkey0001", 400), ("", 403)):
        async with sim.http.get(f"{sim.kite}/connect/login?api_key={key}", allow_redirects=False) as response:
            assert response.status == status


async def test_a_token_dies_at_six_by_the_worlds_clock(sim: Sim) -> None:
    await sim.world(start_time="05:59:58", end_time="06:00:05", speed=5)
    assert (await sim.kite_call("GET", "/user/profile"))[0] == 200
    await sim.call("POST", "/worlds/w/start")
    await sim.ended()
    status, answer = await sim.kite_call("GET", "/user/profile")
    assert (status, answer["error_type"]) == (403, "TokenException")
    await sim.login()
    assert (await sim.kite_call("GET", "/user/profile"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/orders", 405), ("GET", "/", 404), ("GET", "/orders/1", 404)],
)
async def test_unknown_paths_have_the_envelope(sim: Sim, method: str, path: str, status: int) -> None:
    await sim.world()
    got, answer = await sim.kite_call(method, path)
    assert (got, answer["status"]) == (status, "error")
    assert answer["error_type"]


async def test_orders_outside_hours_are_refused(sim: Sim) -> None:
    await sim.world(ROWS)
    status, answer = await sim.kite_call(
        "POST",
        "/orders/regular",
        {
            "exchange": "NSE",
            "tradingsymbol": "RELIANCE",
            "transaction_type": "BUY",
            "quantity": "1",
            "product": "MIS",
            "order_type": "LIMIT",
            "price": "2000",
        },
    )
    assert status == 400
    assert "Markets are closed" in answer["message"]


async def test_limits_by_calendar_second(sim: Sim) -> None:
    await sim.world(ROWS, start_time="09:15:00", end_time="09:15:20", participants=1)
    await sim.call("POST", "/worlds/w/start")
    codes = [(await sim.kite_call("GET", "/orders"))[0] for _ in range(12)]
    assert codes == [200] * 10 + [429] * 2
    quotes = [(await sim.kite_call("GET", "/quote?i=NSE:RELIANCE"))[0] for _ in range(2)]
    assert quotes == [200, 429]


async def test_twenty_five_modifications(sim: Sim) -> None:
    await _open(sim)
    order_id = await sim.place(price=1990)
    account = sim.servers.worlds.get("w").world.accounts["SM0001"]
    account.orders[order_id].modifications = 25
    status, answer = await sim.kite_call("PUT", f"/orders/regular/{order_id}", {"price": "1991"})
    assert status == 400
    assert "modifications exceeded" in answer["message"]


async def test_a_triggered_stop_and_a_protected_market_order(sim: Sim) -> None:
    await _open(sim)
    await sim.place(order_type="MARKET", market_protection="-1")
    rows = (await sim.kite_call("GET", "/orders"))[1]["data"]
    assert (rows[0]["order_type"], rows[0]["price"], rows[0]["status"]) == ("LIMIT", 2010.0, "COMPLETE")
    assert (rows[0]["tags"], rows[0]["market_protection"]) == (["mktp", "mktp:0.50"], 0.5)
    through = await sim.place(transaction_type="SELL", order_type="SL", price=2000, trigger_price=2005)
    row = (await sim.kite_call("GET", f"/orders/{through}"))[1]["data"][-1]
    assert (row["status"], row["status_message"]) == (
        "REJECTED",
        "Trigger price for stoploss sell orders should be lower than the last traded price.",
    )


CONDITION = '{"exchange":"NSE","tradingsymbol":"RELIANCE","trigger_values":[1e308],"last_price":1}'
LEGS = '[{"transaction_type":"SELL","quantity":1,"order_type":"LIMIT","product":"CNC","price":1900}]'
WORDS = [
    "single",
    "two-leg",
    "TTL",
    CONDITION,
    LEGS,
    CONDITION.replace("1e308", "1950"),
    "[]",
    "{}",
    "NSE",
    "RELIANCE",
    "BUY",
    "SL",
    "LIMIT",
    "MIS",
    "nan",
    "inf",
    "-1",
    "1e309",
    "10",
    "2000",
    "\x00",
    "é",
]
TEXT = st.one_of(st.just(""), st.sampled_from(WORDS), st.text(max_size=10))
FIELDS = ["exchange", "tradingsymbol", "transaction_type", "quantity", "product", "order_type", "price"]
FIELDS += ["trigger_price", "tag", "validity", "market_protection", "disclosed_quantity", "i", "from", "to"]
FIELDS += ["api_key", "checksum", "type", "condition", "orders", "validity_ttl"]
PATHS = ["/orders/regular", "/orders/amo", "/orders/regular/1", "/orders", "/trades", "/quote", "/quote/ltp"]
PATHS += ["/quote/ohlc"]
GOOD = {
    "exchange": "NSE",
    "tradingsymbol": "RELIANCE",
    "transaction_type": "BUY",
    "quantity": "1",
    "product": "MIS",
    "order_type": "SL",
    "price": "2000",
    "trigger_price": "1999",
    "type": "single",
    "condition": CONDITION.replace("1e308", "1950"),
    "orders": LEGS,
}
PATHS += ["/instruments/historical/738561/minute", "/instruments/NSE", "/margins/orders", "/margins/basket"]
PATHS += ["/charges/orders", "/session/token", "/gtt/triggers", "/portfolio/positions", "/user/margins/equity", "/%00"]
PATHS += ["/gtt/triggers/1", "/portfolio/holdings", "/portfolio/holdings/summary", "/alerts", "/alerts/x/history"]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]),
            st.sampled_from(PATHS),
            st.dictionaries(st.sampled_from(FIELDS), TEXT, max_size=10),
            st.binary(max_size=30) | st.none(),
        ),
        min_size=1,
        max_size=9,
    )
)
async def test_no_request_ends_outside_the_envelope(
    calls: list[tuple[str, str, dict[str, str], bytes | None]],
) -> None:
    async with simulator() as sim:
        await sim.world(ROWS, start_time="09:15:00")
        headers = {"Authorization": f"token simkey0001:{sim.token}"}
        for method, path, fields, raw in calls:
            body: Any = raw if raw is not None else {**GOOD, **fields}
            url = sim.kite + path
            async with sim.http.request(method, url, data=body, params=fields, headers=headers) as response:
                assert response.status < 500, await response.text()
                if response.content_type == "text/csv":
                    continue
                answer = await response.json()
                assert answer["status"] == ("success" if response.status == 200 else "error")
                assert response.status == 200 or answer["error_type"]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.text(max_size=40) | st.sampled_from(['{"a":"mode","v":["full",[738561]]}', '{"a":"subscribe","v":[1]}']),
        max_size=6,
    )
)
async def test_nothing_a_client_sends_breaks_the_socket(messages: list[str]) -> None:
    async with simulator() as sim:
        await sim.world(ROWS)
        url = f"{sim.kite.replace('http', 'ws')}/?api_key=simkey0001&access_token={sim.token}"
        async with sim.http.ws_connect(url) as socket:
            for text in messages:
                await socket.send_str(text)
            await socket.send_json({"a": "nonsense", "v": []})
            while "Unknown action" not in str((await socket.receive(timeout=5)).data):
                pass


async def test_beyond_three_thousand_instruments_a_connection_gets_an_error_and_lives_on(sim: Sim) -> None:
    await sim.world(ROWS, start_time="09:15:00")
    url = f"{sim.kite.replace('http', 'ws')}/?api_key=simkey0001&access_token={sim.token}"
    async with sim.http.ws_connect(url) as socket:
        for first in (1, 2001):
            await socket.send_json({"a": "subscribe", "v": list(range(first, first + 1500))})
        await socket.send_json({"a": "subscribe", "v": [738561]})
        assert "Too many instruments" in (await socket.receive(timeout=5)).data
        await socket.send_json({"a": "unsubscribe", "v": [1]})
        await socket.send_json({"a": "subscribe", "v": [738561]})
        await sim.call("POST", "/worlds/w/start")
        async for message in socket:
            if message.type is WSMsgType.BINARY and len(message.data) > 1:
                break
        assert message.data[:8].hex() == "0001002c000b4501"


async def test_the_dump_travels_compressed(sim: Sim) -> None:
    await sim.world(ROWS)
    headers = {"Authorization": f"token simkey0001:{sim.token}"}
    async with sim.http.get(f"{sim.kite}/instruments", headers=headers) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.content_type == "text/csv"
        assert (await response.text()).startswith("instrument_token,exchange_token,tradingsymbol,")


@pytest.mark.parametrize(("ttl", "status"), [("1", "CANCELLED"), ("600", "OPEN")])
async def test_an_order_lapses_after_its_minutes(sim: Sim, ttl: str, status: str) -> None:
    await _open(sim)
    order_id = await sim.place(price=1990, validity="TTL", validity_ttl=ttl)
    await sim.call("POST", "/worlds/w/start", {"speed": 600})
    await sim.until(lambda view: view["now"] >= 1_618_199_101_000 + 90_000)
    row = (await sim.kite_call("GET", f"/orders/{order_id}"))[1]["data"][-1]
    assert (row["status"], row["validity"], row["validity_ttl"]) == (status, "TTL", int(ttl))
