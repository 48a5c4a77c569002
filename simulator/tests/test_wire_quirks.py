"""What is odd in each broker's answers and what clients have come to rely on, byte by byte where it matters."""

import re
from pathlib import Path
from typing import Any

import algo_simulator
import pytest
import yaml
from algo_simulator.angelone.testing import ACCOUNT as ANGEL_ACCOUNT
from algo_simulator.angelone.testing import ORDER as ANGEL_ORDER
from algo_simulator.angelone.testing import SECURE, Angel
from algo_simulator.dhan.testing import DhanClient
from algo_simulator.testing import Sim

PACKAGE = Path(algo_simulator.__file__).parent


def zerodha_routes() -> list[tuple[str, str]]:
    quality: dict[str, Any] = yaml.safe_load((PACKAGE / "zerodha" / "quality.yaml").read_text("utf-8"))
    rest = {route: entry for route, entry in quality["routes"].items() if not entry.get("socket")}
    found = []
    for route, entry in rest.items():
        method, path = route.split(" ")
        found.append((method, entry.get("path") or re.sub(r"\{[^}]*\}", "1", path)))
    return found


async def test_zerodhas_every_answer_names_json_or_csv_as_its_content_type(sim: Sim) -> None:
    """Its SDK looks for either word in the header, and fails without one: of success, refusal and unknown path."""
    await sim.world(start_time="09:15:00")
    clock = sim.servers.worlds.get("w")
    calls = [*zerodha_routes(), ("GET", "/nowhere"), ("PATCH", "/orders"), ("POST", "/session/token")]
    good: dict[str, set[str]] = {"json": set(), "csv": set()}
    for token in (sim.token, "wrong"):
        for method, path in calls:
            if path.startswith("/connect/login"):
                continue  # a page for the browser
            clock.world.now += 61_000
            clock.world.state = "running"  # limits count by its clock
            headers = {"Authorization": f"token simkey0001:{token}", "X-Kite-Version": "3"}
            async with sim.http.request(method, sim.kite + path, headers=headers, allow_redirects=False) as answer:
                told, status = answer.headers["Content-Type"], answer.status
                kind = next((word for word in ("json", "csv") if word in told), "")
                assert kind, (method, path, status, told)
                assert kind == "csv" or (await answer.json())["status"] == ("success" if status == 200 else "error")
                if status == 200:
                    good[kind].add(f"{method} {path}")
    assert good["csv"] == {"GET /instruments", "GET /instruments/1"}
    assert {"GET /orders", "GET /user/profile", "GET /gtt/triggers"} <= good["json"]


async def test_dhans_one_order_is_an_array_of_one_as_it_was_recorded(sim: Sim) -> None:
    dhan = DhanClient(sim)
    await dhan.standing_market()
    placed = await dhan.place(correlationId="quirk-1")
    for path in (f"/orders/{placed}", "/orders/external/quirk-1"):
        status, answer = await dhan.call("GET", path)
        assert status == 200
        assert isinstance(answer, list)
        assert [row["orderId"] for row in answer] == [placed]


async def test_angel_ones_two_error_shapes_and_its_plain_text_403(sim: Sim) -> None:
    await sim.world(accounts=[], start_time="09:15:00")
    await sim.call("POST", "/worlds/w/accounts", ANGEL_ACCOUNT, status=201)
    angel = Angel(sim)
    await angel.log_in()

    async def told(headers: dict[str, str], body: dict[str, str]) -> tuple[int, str, str]:
        url = f"{angel.root}{SECURE}order/v1/placeOrder"
        async with sim.http.post(url, json=body, headers={**angel.headers(), **headers}) as answer:
            return answer.status, answer.content_type, await answer.text()

    application = await told({}, {**ANGEL_ORDER, "producttype": "NONE"})
    assert application[:2] == (200, "application/json")
    assert re.fullmatch(
        r'\{"status": ?false, ?"message": ?"[^"]+", ?"errorcode": ?"AB1012", ?"data": ?null\}', application[2]
    )
    gateway = await told({"Authorization": "Bearer wrong"}, ANGEL_ORDER)
    assert gateway[:2] == (401, "application/json")
    assert re.fullmatch(
        r'\{"success": ?false, ?"message": ?"Invalid Token", ?"errorCode": ?"AG8001", ?"data": ?""\}', gateway[2]
    )
    await sim.call("PATCH", "/worlds/w/faults", {"rate_limit": 1})
    status, kind, text = await told({}, ANGEL_ORDER)
    assert (status, text) == (403, "Access denied because of exceeding access rate")
    assert "json" not in kind


@pytest.mark.parametrize("path", ["/orders", "/positions", "/trades"])
async def test_dhans_empty_books_are_bare_arrays(sim: Sim, path: str) -> None:
    dhan = DhanClient(sim)
    await dhan.standing_market()
    assert await dhan.call("GET", path) == (200, [])
