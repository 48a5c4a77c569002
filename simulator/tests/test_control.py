"""The control API: what it makes, shows and refuses."""

import json
from typing import Any

import pytest
from algo_simulator.testing import ACCOUNT, DAY, Sim, simulator, ticks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SPEC = {"name": "w", "date": DAY, "symbols": ["RELIANCE"], "accounts": [ACCOUNT]}


async def test_the_token_is_asked_for_everywhere_but_on_probes(sim: Sim) -> None:
    for path in ("/worlds", "/worlds/w", "/clock?world=w", "/nonsense"):
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            async with sim.http.get(sim.control + path, headers=headers) as response:
                assert response.status == 401
    async with sim.http.get(f"{sim.control}/healthz") as response:
        assert response.status == 200


async def test_whoever_asks_learns_the_address_that_it_is_seen_with(sim: Sim) -> None:
    async with sim.http.get(f"{sim.control}/address") as response:
        assert (response.status, response.content_type) == (200, "text/plain")
        assert (await response.text()).strip() == "127.0.0.1"
    async with sim.http.post(f"{sim.control}/address") as response:
        assert response.status == 401


async def test_a_world_lives_and_dies(sim: Sim) -> None:
    made = await sim.call("POST", "/worlds", SPEC, status=201)
    assert made["state"] == "paused"
    assert made["symbols"] == ["NSE:RELIANCE"]
    assert "simsecret99" not in json.dumps(made)
    assert [w["name"] for w in (await sim.call("GET", "/worlds"))["worlds"]] == ["w"]
    await sim.call("DELETE", "/worlds/w", status=204)
    await sim.call("GET", "/worlds/w", status=404)
    await sim.call("POST", "/worlds", SPEC, status=201)


@pytest.mark.parametrize(
    ("change", "status", "detail"),
    [
        ({"date": "2021-05-01"}, 422, "no trading day"),
        ({"date": "2031-01-01"}, 422, "outside the session table"),
        ({"symbols": ["NOPE"]}, 422, "does not trade"),
        ({"symbols": []}, 422, "1 to 50 symbols"),
        ({"previous_closes": {"NSE:RELIANCE": "x"}}, 422, "not an amount"),
        ({"start_time": "soon"}, 422, "does not match"),
        ({"typo": 1}, 422, "typo"),
        ({"speed": "fast"}, 422, "speed"),
        ({"speed": -1}, 422, "speed"),
        ({"accounts": [ACCOUNT, ACCOUNT]}, 422, "already"),
    ],
)
async def test_a_bad_world_is_refused(sim: Sim, change: dict[str, Any], status: int, detail: str) -> None:
    answer = await sim.call("POST", "/worlds", {**SPEC, **change}, status=status)
    assert detail in answer["detail"]
    assert (await sim.call("GET", "/worlds"))["worlds"] == []


@pytest.mark.parametrize("change", [{}, {"name": "x"}])
async def test_names_and_keys_are_unique(sim: Sim, change: dict[str, Any]) -> None:
    await sim.call("POST", "/worlds", SPEC, status=201)
    await sim.call("POST", "/worlds", {**SPEC, **change}, status=409)


async def test_uploads(sim: Sim) -> None:
    await sim.call("POST", "/worlds", SPEC, status=201)
    path = "/worlds/w/ticks/NSE/RELIANCE"
    shown = await sim.call("PUT", f"{path}?previous_close=1990.5", ticks([("09:15:00", "2000")]))
    assert shown == {"symbol": "NSE:RELIANCE", "rows": 1, "layout": "ticks_total"}
    assert "line 2" in (await sim.call("PUT", path, b"timestamp,ltp,volume\nx\n", status=422))["detail"]
    other = ticks([("09:15:00", "2000")], day="2021-04-13")
    assert "no row of 2021-04-12" in (await sim.call("PUT", path, other, status=422))["detail"]
    await sim.call("PUT", "/worlds/w/ticks/NSE/TCS", ticks([("09:15:00", "1")]), status=404)
    await sim.call("PUT", path, bytes(17 * 1024 * 1024), status=413)
    await sim.login()
    quote = (await sim.kite_call("GET", "/quote?i=NSE:RELIANCE"))[1]["data"]["NSE:RELIANCE"]
    assert quote["ohlc"]["close"] == 1990.5
    await sim.call("POST", "/worlds/w/start")
    assert "was started" in (await sim.call("PUT", path, ticks([("09:15:00", "1")]), status=422))["detail"]


async def test_a_synthetic_world_trades_without_data(sim: Sim) -> None:
    await sim.world(end_time="09:20:00")
    await sim.call("POST", "/worlds/w/start")
    await sim.ended()
    status, answer = await sim.kite_call("GET", "/quote/ltp?i=NSE:RELIANCE")
    assert status == 200
    assert answer["data"]["NSE:RELIANCE"]["last_price"] > 0


async def test_accounts_may_be_added(sim: Sim) -> None:
    await sim.call("POST", "/worlds", SPEC, status=201)
    second = {**ACCOUNT, "client_id": "SM2", "api_key": "k2"}
    await sim.call("POST", "/worlds/w/accounts", second, status=201)
    await sim.call("POST", "/worlds/w/accounts", second, status=409)


async def test_unknown_faults_are_refused_and_nothing_is_set(sim: Sim) -> None:
    await sim.call("POST", "/worlds", SPEC, status=201)
    await sim.call("PATCH", "/worlds/w/faults", {"mute_feed": True, "nope": 1}, status=422)
    assert (await sim.call("PATCH", "/worlds/w/faults", {"latency_ms": 5}))["SM0001"]["mute_feed"] is False
    await sim.call("PATCH", "/worlds/w/faults", {"client_id": "x"}, status=404)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PATHS = [
    ("POST", "/worlds"),
    ("POST", "/worlds/w/start"),
    ("PATCH", "/worlds/w/faults"),
    ("POST", "/worlds/w/manual"),
    ("POST", "/worlds/w/accounts"),
]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(PATHS), JSON), min_size=1, max_size=8), st.binary(max_size=20))
async def test_bad_bodies_never_break_it(calls: list[tuple[tuple[str, str], Any]], raw: bytes) -> None:
    async with simulator() as sim:
        await sim.call("POST", "/worlds", SPEC, status=201)
        for (method, path), body in calls:
            for data in (json.dumps(body).encode(), raw):
                async with sim.http.request(method, sim.control + path, data=data, headers=sim.auth) as response:
                    assert response.status < 500, await response.text()
                    assert isinstance(await response.json(), dict)
