"""What each front end says of itself in `quality.yaml` is the truth: the list is whole, and every route answers so."""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import algo_simulator
import pytest
import yaml
from algo_simulator.angelone.testing import ACCOUNT as ANGEL_ACCOUNT
from algo_simulator.angelone.testing import Angel
from algo_simulator.dhan.testing import CLIENT, DhanClient
from algo_simulator.fyers.testing import FyersUser
from algo_simulator.servers import FRONTS
from algo_simulator.testing import Sim, simulator
from algo_simulator.worlds import Worlds

PACKAGE = Path(algo_simulator.__file__).parent
BROKERS = sorted(FRONTS)
STATES = {"done", "todo", "exempt"}
Answer = tuple[int, str]
Asked = Callable[[str, str], Awaitable[Answer]]


def _quality(broker: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PACKAGE / broker / "quality.yaml").read_text("utf-8"))
    return found


async def _zerodha(sim: Sim) -> Asked:
    await sim.world(start_time="09:15:00")

    async def ask(method: str, path: str) -> Answer:
        headers = {"Authorization": f"token simkey0001:{sim.token}"}
        async with sim.http.request(method, sim.kite + path, headers=headers, allow_redirects=False) as response:
            text = await response.text()
            if response.content_type == "application/json":
                answer = await response.json()
                assert answer["status"] == ("success" if response.status == 200 else "error"), text
            return response.status, text

    return ask


async def _fyers(sim: Sim) -> Asked:
    user = FyersUser(sim)
    await user.world(start_time="09:15:00")
    again = ("generate-authcode", "logout")

    async def ask(method: str, path: str) -> Answer:
        bare = path == "/data/symbol-token"
        headers = {"Authorization": user.token} if bare else user.headers
        async with sim.http.request(method, user.root + path, headers=headers, allow_redirects=False) as response:
            text = await response.text()
            if response.content_type == "application/json" and not path.startswith("/files"):
                answer = await response.json()
                assert answer["s"] in (("ok", "no_data") if response.status == 200 else ("error",)), text
        if path.endswith(again):
            await user.login()
        return response.status, text

    return ask


async def _dhan(sim: Sim) -> Asked:
    user = DhanClient(sim)
    await user.world(start_time="09:15:00")

    async def ask(method: str, path: str) -> Answer:
        headers = {"access-token": user.token, "client-id": CLIENT}
        async with sim.http.request(method, user.root + path, headers=headers, allow_redirects=False) as response:
            return response.status, await response.text()

    return ask


async def _angelone(sim: Sim) -> Asked:
    await sim.world(accounts=[], start_time="09:15:00")
    await sim.call("POST", "/worlds/w/accounts", ANGEL_ACCOUNT, status=201)
    angel = Angel(sim)
    await angel.log_in()

    async def ask(method: str, path: str) -> Answer:
        status, answer = await angel.send(method, path)
        if "/logout" in path:
            angel.jwt = ""
            await angel.log_in()
        return status, json.dumps(answer)

    return ask


CALLERS: dict[str, Callable[[Sim], Awaitable[Asked]]] = {
    "zerodha": _zerodha,
    "fyers": _fyers,
    "dhan": _dhan,
    "angelone": _angelone,
}
"""Logs in and returns what calls a route with that session."""
ERROR_SHAPES: dict[str, list[tuple[str, ...]]] = {
    "zerodha": [("status", "message", "error_type", "data")],
    "dhan": [("errorType", "errorCode", "errorMessage"), ("status", "message")],
    "fyers": [("s", "code", "message")],
    "angelone": [("status", "message", "errorcode", "data")],
}
"""Keys of what the broker says of a request that it refuses; Dhan's host of logins has a shape of its own."""
UNKNOWN = {"zerodha": "Not Found", "fyers": "Not Found", "dhan": "Not Found", "angelone": "Not Found"}
"""What the broker answers for a path that is none."""


@pytest.mark.parametrize("broker", BROKERS)
def test_the_list_has_its_shape_and_is_whole(broker: str) -> None:
    quality = _quality(broker)
    assert set(quality) <= {"broker", "routes", "behaviours", "quirks"}
    assert quality["broker"] == broker
    for name, entry in {**quality["routes"], **quality["behaviours"]}.items():
        assert set(entry) <= {"state", "why", "status", "socket", "path"}, name
        assert entry["state"] in STATES, name
        assert entry["state"] == "done" or entry["why"], name
    app = FRONTS[broker](Worlds(1))
    served = {f"{route.method} {route.resource.canonical}" for route in app.router.routes() if route.resource}
    assert served == set(quality["routes"])


@pytest.mark.parametrize("broker", BROKERS)
async def test_every_route_answers_as_the_list_says(broker: str) -> None:
    routes = _quality(broker)["routes"]
    async with simulator() as sim:
        ask = await CALLERS[broker](sim)
        clock = sim.servers.worlds.get("w")
        for route, entry in routes.items():
            method, path = route.split(" ")
            path = entry.get("path") or re.sub(r"\{[^}]*\}", "1", path)
            clock.world.now += 61_000  # Another minute: no limit is in the way.
            clock.world.state = "running"
            status, text = await ask(method, path)
            if entry["state"] == "done":
                assert status != 405, route
                assert not (status == 404 and UNKNOWN[broker] in text and not entry.get("socket")), route
                assert "not simulated" not in text, route
            else:
                assert (status, "not simulated" in text) == (entry["status"], True), (route, status, text)
                shapes = [set(shape) for shape in ERROR_SHAPES[broker]]
                assert set(json.loads(text)) in shapes, (route, text)
