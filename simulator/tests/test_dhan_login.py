"""Ways to a token and its life, at the simulated Dhan."""

import base64
import json
import time
from datetime import datetime
from typing import Any

import pytest
from algo_crds.contracts.clock import IST
from algo_simulator.dhan.session import client_of
from algo_simulator.dhan.testing import APP, CLIENT, FLAT, PIN, TOTP_SECRET, DhanClient
from algo_simulator.testing import Sim
from algo_simulator.totp import code_at
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def dhan(sim: Sim) -> DhanClient:
    return DhanClient(sim)


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


async def test_consent_gives_a_token_of_a_day(dhan: DhanClient) -> None:
    await dhan.world({"NSE:RELIANCE": FLAT}, start_time="09:00:00")
    answer = await dhan.consent_login()
    assert answer["dhanClientId"] == CLIENT
    found = claims(dhan.token)
    until = datetime.fromtimestamp(found["exp"], IST)
    assert datetime.fromisoformat(answer["expiryTime"]).replace(tzinfo=IST) == until
    assert until > datetime.now(IST), "clients compare it with the wall's time, not with that of the market's day"
    assert (found["iss"], found["dhanClientId"], found["tokenConsumerType"]) == ("dhan", CLIENT, "APP")
    assert found["exp"] - found["iat"] == 24 * 3600
    status, profile = await dhan.call("GET", "/profile")
    assert status == 200
    assert profile["tokenValidity"] == f"{until:%d/%m/%Y %H:%M}"
    assert profile["dataPlan"] == "Active"


async def test_a_token_dies_after_a_day_by_the_worlds_clock(dhan: DhanClient, sim: Sim) -> None:
    await dhan.world({"NSE:RELIANCE": FLAT}, start_time="09:00:00")
    clock = sim.servers.worlds.get("w")
    clock.world.now += 24 * 3_600_000 - 1
    assert (await dhan.call("GET", "/profile"))[0] == 200
    clock.world.now += 1
    status, answer = await dhan.call("GET", "/profile")
    assert (status, answer["errorCode"]) == (401, "DH-901")


async def test_the_browser_comes_back_with_its_own_query_and_a_token_id(dhan: DhanClient, sim: Sim) -> None:
    await dhan.world()
    url = f"{dhan.auth}/app/generate-consent?client_id={CLIENT}"
    async with sim.http.post(url, headers=APP) as response:
        consent = (await response.json())["consentAppId"]
    page = f"{dhan.auth}/login/consentApp-login?consentAppId={consent}"
    async with sim.http.get(page, allow_redirects=False) as response:
        assert response.status == 302
        target = response.headers["Location"]
    assert target.startswith("http://127.0.0.1:1/callback?x=1&tokenId=")
    async with sim.http.get(page, allow_redirects=False) as response:
        assert await response.json() == {"status": "error", "message": "Invalid consent"}
    consume = f"{dhan.auth}/app/consumeApp-consent?tokenId={target.rpartition('=')[2]}"
    async with sim.http.post(consume, headers={**APP, "app_secret": "wrong"}) as response:
        assert (response.status, (await response.json())["status"]) == (200, "error")
    async with sim.http.post(consume, headers=APP) as response:
        assert "accessToken" in await response.json()
    async with sim.http.get(consume, headers=APP) as response:
        assert await response.json() == {"status": "error", "message": "Invalid tokenId"}


async def test_twenty_five_consents_a_day(dhan: DhanClient, sim: Sim) -> None:
    await dhan.world()
    url = f"{dhan.auth}/app/generate-consent?client_id={CLIENT}"
    states = []
    for _ in range(26):
        async with sim.http.post(url, headers=APP) as response:
            states.append((await response.json())["status"])
    # The world's own login was the first.
    assert states == ["success"] * 24 + ["error"] * 2


async def test_pin_and_code(dhan: DhanClient) -> None:
    await dhan.world()
    assert (await dhan.code_login(pin="000000")) == {"status": "error", "message": "Invalid Pin"}
    assert (await dhan.code_login(code="abc")) == {"status": "error", "message": "Invalid TOTP"}
    answer = await dhan.code_login()
    assert claims(answer["accessToken"])["dhanClientId"] == CLIENT
    again = await dhan.code_login()
    assert again == {"status": "error", "message": "Token can be generated once every 2 minutes"}
    assert (await dhan.call("GET", "/profile"))[0] == 200


async def test_the_code_of_the_walls_clock_is_taken_too(dhan: DhanClient) -> None:
    await dhan.world()
    answer = await dhan.code_login(code=code_at(TOTP_SECRET, int(time.time() * 1000)))
    assert "accessToken" in answer


async def test_a_new_token_kills_the_old_one(dhan: DhanClient) -> None:
    await dhan.world()
    first = dhan.token
    await dhan.consent_login()
    assert (await dhan.call("GET", "/orders"))[0] == 200
    status, answer = await dhan.call("GET", "/orders", **{"access-token": first})
    assert (status, answer["errorCode"], answer["errorMessage"]) == (401, "DH-901", "Invalid Token")
    status, answer = await dhan.call("GET", "/orders", **{"access-token": "x.y.z"})
    assert (status, answer["errorType"]) == (401, "Invalid_Authentication")


async def test_a_dead_token_as_order_error(dhan: DhanClient) -> None:
    await dhan.world(account={"quirks": ["dead_token_906"]})
    first = dhan.token
    await dhan.consent_login()
    status, answer = await dhan.call("GET", "/orders", **{"access-token": first})
    assert (status, answer["errorCode"], answer["errorMessage"]) == (400, "DH-906", "Invalid Token")


async def test_renewal_is_for_tokens_of_the_web(dhan: DhanClient, sim: Sim) -> None:
    await dhan.world()
    status, answer = await dhan.call("GET", "/RenewToken", dhanClientId=CLIENT)
    assert (status, answer["errorCode"]) == (400, "DH-905")
    async with sim.http.get(f"{dhan.auth}/web/access-token?dhanClientId={CLIENT}&pin={PIN}") as response:
        old = dhan.token = await response.text()
    assert claims(old)["tokenConsumerType"] == "SELF"
    assert (await dhan.call("POST", "/RenewToken", dhanClientId=CLIENT))[0] == 400
    status, answer = await dhan.call("GET", "/RenewToken", dhanClientId=CLIENT)
    assert status == 200
    assert (await dhan.call("GET", "/profile"))[0] == 401
    dhan.token = answer["accessToken"]
    assert (await dhan.call("GET", "/profile"))[0] == 200


async def test_another_clients_header(dhan: DhanClient) -> None:
    await dhan.world()
    status, answer = await dhan.call("GET", "/orders", **{"client-id": "1000000099"})
    assert (status, answer["errorCode"]) == (401, "DH-901")


@given(
    token=st.one_of(
        st.text(max_size=60), st.binary(max_size=60).map(lambda raw: f"a.{base64.urlsafe_b64encode(raw).decode()}.b")
    )
)
def test_any_token_is_read(token: str) -> None:
    assert isinstance(client_of(token), str)
