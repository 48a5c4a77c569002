"""Instrument files that nobody logs in for: which day they show, and that there always is one."""

import pytest
from algo_simulator.testing import simulator

FILES = {
    "dhan": "/files/api-data/api-scrip-master.csv",
    "fyers": "/files/sym_details/NSE_CM.csv",
    "angelone": "/files/OpenAPI_File/files/OpenAPIScripMaster.json",
}
ELSEWHERE = {"name": "other", "date": "2026-07-01", "symbols": ["NSE:TCS"], "speed": 0, "accounts": []}


@pytest.mark.parametrize("broker", FILES)
async def test_a_list_is_served_before_the_first_world_and_has_the_shares_of_every_world(broker: str) -> None:
    async with simulator() as sim:

        async def fetch() -> str:
            async with sim.http.get(sim.address(broker) + FILES[broker]) as response:
                assert response.status == 200
                return await response.text()

        assert "RELIANCE" in await fetch()
        await sim.call("POST", "/worlds", ELSEWHERE, status=201)
        other_day = await fetch()
        assert "RELIANCE" in other_day
        account = {"broker": broker, "client_id": "AB0001", "api_key": "publickey1", "api_secret": "publicsecret1"}
        spec = {**ELSEWHERE, "name": "own", "date": "2021-04-12", "accounts": [account]}
        await sim.call("POST", "/worlds", spec, status=201)
        await sim.call("POST", "/worlds", {**ELSEWHERE, "name": "newest"}, status=201)
        own_day = await fetch()
        assert own_day != other_day, "the newest world with an account of the broker goes first"
        assert "TCS" in own_day
