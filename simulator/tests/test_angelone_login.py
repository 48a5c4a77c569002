"""Angel One's logins, tokens, headers and log-out."""

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from algo_crds.contracts.clock import IST
from algo_simulator.angelone.testing import ACCOUNT, CLIENT, KEY, LOGIN, PIN, RENEW, SECRET, Angel
from algo_simulator.testing import Sim
from algo_simulator.totp import code_at

AT_OPEN = 1_618_199_100_000


async def _angel(sim: Sim, **account: Any) -> Angel:
    """A client that is not logged in yet, at 09:15 of a world that stands still."""
    await sim.world(accounts=[], start_time="09:15:00")
    await sim.call("POST", "/worlds/w/accounts", {**ACCOUNT, **account}, status=201)
    return Angel(sim)


def _form(**changes: Any) -> dict[str, Any]:
    return {"clientcode": CLIENT, "password": PIN, "totp": code_at(SECRET, int(time.time() * 1000)), **changes}


def _claims(jwt: str) -> dict[str, Any]:
    body = jwt.split(".")[1]
    return dict(json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4))))


async def test_the_token_is_bare_and_tells_its_end(sim: Sim) -> None:
    angel = await _angel(sim)
    data = await angel.post(LOGIN, _form(state="live"))
    assert data["state"] == "live"
    assert not data["jwtToken"].startswith("Bearer")
    claims = _claims(data["jwtToken"])
    assert claims["username"] == CLIENT
    until = datetime.fromtimestamp(claims["exp"], IST)
    assert until.time() == datetime.min.time()
    assert until > datetime.now(IST), "clients compare it with the wall's time, not with that of the market's day"


async def test_a_code_of_the_worlds_clock_is_right_too(sim: Sim) -> None:
    angel = await _angel(sim)
    assert (await angel.post(LOGIN, _form(totp=code_at(SECRET, AT_OPEN))))["jwtToken"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "0000"}, "AB1000"),
        ({"clientcode": "S999999"}, "AB1000"),
        ({"totp": "000000000"}, "AB1050"),
        ({"totp": code_at(SECRET, AT_OPEN - 3_600_000)}, "AB1050"),
        ({"totp": None}, "AB1050"),
        ({"password": ""}, "AB1007"),
        ({"clientcode": None}, "AB1007"),
    ],
)
async def test_logins_that_fail(sim: Sim, changes: dict[str, Any], code: str) -> None:
    angel = await _angel(sim)
    assert (await angel.refused(LOGIN, _form(**changes)))[0] == code


async def test_an_account_without_a_pin_says_what_to_set(sim: Sim) -> None:
    angel = await _angel(sim, pin="", totp_secret="")
    assert "totp_secret" in (await angel.refused(LOGIN, _form()))[1]


async def test_the_login_page_has_no_refresh_token(sim: Sim) -> None:
    angel = await _angel(sim)
    url = f"{angel.root}/auth/publisher-login?api_key={KEY}&state=opaque"
    async with sim.http.get(url, allow_redirects=False) as response:
        assert response.status == 302
        back = parse_qs(urlsplit(response.headers["Location"]).query)
    assert set(back) == {"x", "auth_token", "feed_token", "state"}
    angel.jwt = back["auth_token"][0]
    assert (await angel.get("user/v1/getProfile"))["clientcode"] == CLIENT


async def test_renewal_leaves_earlier_tokens_valid(sim: Sim) -> None:
    angel = await _angel(sim)
    await angel.log_in()
    old = angel.jwt
    made = await angel.post(RENEW, {"refreshToken": angel.refresh, "jwtToken": "ignored"})
    assert made["jwtToken"] != old
    for jwt in (old, made["jwtToken"]):
        angel.jwt = jwt
        assert (await angel.get("user/v1/getProfile"))["clientcode"] == CLIENT
    clock = sim.servers.worlds.get("w")
    clock.world.now += 1
    assert (await _next_second(angel, {"refreshToken": "wrong"}))[0] == "AB8050"


async def _next_second(angel: Angel, body: dict[str, Any]) -> tuple[str, str]:
    """A renewal, asked again while it is over its limit of one a second."""
    while True:
        status, answer = await angel.send("POST", RENEW, body)
        if status == 200:
            return answer["errorcode"], answer["message"]
        await asyncio.sleep(0.2)  # a refused call counts too, and the longer windows are not for polling


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"X-PrivateKey": ""}, 401, "AG8004"),
        ({"X-PrivateKey": "other"}, 401, "AG8004"),
        ({"Authorization": ""}, 401, "AG8003"),
        ({"Authorization": "Bearer wrong"}, 401, "AG8001"),
        ({"Authorization": "Bearer Bearer x"}, 401, "AG8001"),
        ({"X-UserType": "BOT"}, 200, "AB1005"),
        ({"X-SourceID": ""}, 200, "AB1007"),
    ],
)
async def test_headers_of_a_call(sim: Sim, headers: dict[str, str], status: int, code: str) -> None:
    angel = await _angel(sim)
    await angel.log_in()
    got, answer = await angel.send("GET", "user/v1/getRMS", headers=headers)
    assert (got, answer.get("errorCode", answer.get("errorcode"))) == (status, code)
    if code.startswith("AG"):
        assert (answer["success"], answer["data"], "status" in answer) == (False, "", False)


@pytest.mark.parametrize(("quirk", "status"), [("auth-200", 200), ("auth-403", 403)])
async def test_the_status_of_a_refused_token_differs_in_reports(sim: Sim, quirk: str, status: int) -> None:
    angel = await _angel(sim, quirks=[quirk])
    angel.jwt = "wrong"
    got, answer = await angel.send("GET", "user/v1/getRMS")
    assert (got, answer["errorCode"]) == (status, "AG8001")


@pytest.mark.parametrize(("quirks", "hours"), [((), 14.75), (("tokens-until-5",), 19.75)])
async def test_tokens_die_over_night(sim: Sim, quirks: tuple[str, ...], hours: float) -> None:
    angel = await _angel(sim, quirks=quirks)
    await angel.log_in()
    world = sim.servers.worlds.get("w").world
    world.now = AT_OPEN + int(hours * 3_600_000) - 1
    assert await angel.get("user/v1/getProfile")
    world.now += 1
    status, answer = await angel.send("GET", "user/v1/getProfile")
    assert (status, answer["errorCode"]) == (401, "AG8002")


async def test_a_switch_expires_every_token(sim: Sim) -> None:
    angel = await _angel(sim)
    await angel.log_in()
    await sim.call("PATCH", "/worlds/w/faults", {"expire_token": True})
    assert (await angel.send("GET", "user/v1/getProfile"))[1]["errorCode"] == "AG8002"


async def test_log_out_kills_all_tokens(sim: Sim) -> None:
    angel = await _angel(sim)
    await angel.log_in()
    assert (await angel.refused("user/v1/logout", {"clientcode": "S999999"}))[0] == "AB1007"
    while (answer := await angel.send("POST", "user/v1/logout", {"clientcode": CLIENT}))[0] == 403:
        pass
    assert answer[1]["data"] == ""
    assert (await angel.send("GET", "user/v1/getProfile"))[1]["errorCode"] == "AG8001"
    async with sim.http.get(f"{angel.root}/market-socket", headers=_upgrade(angel)) as response:
        assert response.status == 401


def _upgrade(angel: Angel) -> dict[str, str]:
    return {**angel.socket_headers(), "Upgrade": "websocket", "Connection": "Upgrade"}


async def test_secrets_are_in_no_representation(sim: Sim) -> None:
    angel = await _angel(sim)
    await angel.log_in()
    account = sim.servers.worlds.get("w").world.accounts[CLIENT]
    shown = f"{account.spec!r} {account.memo!r} {vars(account.memo['angelone-tokens'])!r}"
    for secret in (PIN, SECRET, angel.jwt, angel.refresh, angel.feed):
        assert secret not in shown.replace(CLIENT, "")
