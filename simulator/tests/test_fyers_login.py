"""Fyers' logins and the life of its tokens: every way in, and the code that each dead token gets."""

import hashlib
from base64 import b64encode, urlsafe_b64decode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from algo_simulator import totp
from algo_simulator.fyers.jwt import HEADER, claims_of, signed
from algo_simulator.fyers.testing import ACCOUNT, APP_HASH, APP_ID, SECRET, FyersUser
from algo_simulator.testing import Sim

API = "/api/v3"


async def _user(sim: Sim, **fields: Any) -> FyersUser:
    user = FyersUser(sim)
    await user.world(**fields)
    return user


async def _post(user: FyersUser, path: str, **form: Any) -> tuple[int, Any]:
    return await user.call("POST", path, form, headers={})


def test_the_published_hash_vector() -> None:
    expected = "f907f10e5d7b219850d1810d6e2bd830416cb7ce7691e4e4660e9777f7400775"
    assert hashlib.sha256(b"APPID-100:SEC").hexdigest() == expected


async def test_an_auth_code_is_good_once_and_needs_the_secret(sim: Sim) -> None:
    user = await _user(sim)
    path, code = f"{API}/validate-authcode", await user.auth_code()
    grant = {"grant_type": "authorization_code", "code": code}
    status, answer = await _post(user, path, **grant, appIdHash="0" * 64)
    assert (status, answer["code"]) == (400, -371)
    status, answer = await _post(user, path, grant_type="authorization_code", appIdHash=APP_HASH)
    assert answer["code"] == -374
    status, answer = await _post(user, path, **grant, appIdHash=APP_HASH)
    assert (status, answer["s"]) == (200, "ok")
    status, answer = await _post(user, path, **grant, appIdHash=APP_HASH)
    assert (status, answer["code"], answer["message"]) == (400, -437, "invalid auth code")


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"client_id": "NOPE-100"}, -352), ({"redirect_uri": "http://elsewhere"}, -50), ({"response_type": "x"}, -50)],
)
async def test_the_login_page_refuses_what_does_not_fit_the_app(sim: Sim, changes: dict[str, str], code: int) -> None:
    user = await _user(sim)
    query = {"client_id": APP_ID, "redirect_uri": ACCOUNT["redirect_url"], "response_type": "code", "state": "s"}
    for prefix in ("", "/auth"):
        status, answer = await user.call("GET", f"{prefix}{API}/generate-authcode", params={**query, **changes})
        assert (status, answer["code"]) == (400, code)


async def test_the_token_can_be_read_by_a_client(sim: Sim) -> None:
    """Pitfall: the SDK cuts `<app id>:<token>` at dots and decodes the first part, app id included."""
    user = await _user(sim)
    claims = claims_of(user.token, SECRET)
    assert claims is not None
    assert user.token.startswith(HEADER)
    urlsafe_b64decode(f"{APP_ID}:{HEADER}===")
    assert claims["hsm_key"] == sim.servers.worlds.get("w").world.accounts["XS00001"].feed_token
    assert (claims["sub"], claims["fy_id"], claims["appType"]) == ("access_token", "XS00001", 100)


async def test_each_dead_token_has_its_code(sim: Sim) -> None:
    """Pitfall: the data host words a bad token in its own way."""
    user = await _user(sim)

    async def codes(token: str) -> list[tuple[int, int]]:
        found = []
        for path in (f"{API}/orders", "/data/quotes?symbols=NSE:RELIANCE-EQ"):
            status, answer = await user.call("GET", path, headers={"Authorization": f"{APP_ID}:{token}"})
            found.append((status, answer["code"]))
        return found

    old = user.token
    await user.login()
    assert await codes("nonsense") == [(401, -16), (401, -15)]
    assert await codes(signed({"sub": "access_token"}, "another secret")) == [(401, -16), (401, -15)]
    assert await codes(old) == [(401, -17), (401, -17)]
    assert await codes(f"Bearer {user.token}") == [(401, -16), (401, -15)]
    clock = sim.servers.worlds.get("w")
    clock.world.now += 86_400_000
    assert await codes(user.token) == [(401, -8), (401, -8)]


async def test_a_token_dies_at_six_by_the_worlds_clock(sim: Sim) -> None:
    user = await _user(sim, start_time="05:59:58", end_time="06:00:05")
    assert (await user.call("GET", f"{API}/profile"))[0] == 200
    await sim.call("POST", "/worlds/w/start")
    await sim.ended()
    assert (await user.call("GET", f"{API}/profile"))[1]["code"] == -8
    await user.login()
    assert (await user.call("GET", f"{API}/profile"))[0] == 200


async def test_log_out_with_the_body_null(sim: Sim) -> None:
    user = await _user(sim)
    for status, code in ((200, 200), (401, -16)):
        async with sim.http.post(f"{user.root}{API}/logout", data="null", headers=user.headers) as response:
            assert (response.status, (await response.json())["code"]) == (status, code)
    assert (await user.call("GET", f"{API}/funds"))[0] == 401


async def test_a_refresh_token_renews_with_the_pin(sim: Sim) -> None:
    user = await _user(sim)
    form = {"grant_type": "refresh_token", "appIdHash": APP_HASH, "refresh_token": user.refresh_token}
    path = f"{API}/validate-refresh-token"
    assert (await _post(user, path, **form, pin="9999"))[1]["code"] == -50
    assert (await _post(user, path, **{**form, "refresh_token": user.token}, pin="1234"))[1]["code"] == -501
    status, answer = await _post(user, path, **form, pin="1234")
    assert status == 200
    old, user.token = user.token, answer["access_token"]
    assert (await user.call("GET", f"{API}/funds"))[0] == 200
    assert old != user.token
    sim.servers.worlds.get("w").world.now += 15 * 86_400_000
    assert (await _post(user, path, **form, pin="1234"))[1]["code"] == -501


async def test_refresh_tokens_are_gone_from_april_2026(sim: Sim) -> None:
    user = await _user(sim, date="2026-04-06")
    form = {"grant_type": "refresh_token", "appIdHash": APP_HASH, "refresh_token": user.refresh_token, "pin": "1234"}
    assert (await _post(user, f"{API}/validate-refresh-token", **form))[1]["code"] == -501


async def test_the_login_by_pin_and_one_time_code(sim: Sim) -> None:
    user = await _user(sim)
    login = "/auth/vagator/v2"
    encoded = b64encode(b"XS00001").decode()
    key = (await _post(user, f"{login}/send_login_otp_v2", fy_id=encoded, app_id="2"))[1]["request_key"]
    code = totp.code_at(ACCOUNT["totp_secret"], sim.servers.worlds.get("w").world.now)
    assert (await _post(user, f"{login}/verify_otp", request_key="x", otp=code))[0] == 401
    key = (await _post(user, f"{login}/verify_otp", request_key=key, otp=code))[1]["request_key"]
    pin = {"request_key": key, "identity_type": "pin", "identifier": "1234", "recaptcha_token": ""}
    status, answer = await _post(user, f"{login}/verify_pin", **pin)
    assert status == 200
    wanted = {
        "fyers_id": "XS00001",
        "app_id": APP_ID.removesuffix("-100"),
        "redirect_uri": ACCOUNT["redirect_url"],
        "appType": "100",
        "state": "s1",
        "response_type": "code",
        "create_cookie": True,
    }
    headers = {"Authorization": f"Bearer {answer['data']['access_token']}"}
    status, answer = await user.call("POST", f"{API}/token", wanted, headers=headers, allow_redirects=False)
    assert status == 308
    query = parse_qs(urlsplit(answer["Url"]).query)
    assert query["state"] == ["s1"]
    form = {"grant_type": "authorization_code", "appIdHash": APP_HASH, "code": query["auth_code"][0]}
    assert (await _post(user, f"{API}/validate-authcode", **form))[1]["s"] == "ok"


@pytest.mark.parametrize(
    ("step", "form", "code"),
    [
        ("send_login_otp", {"fy_id": "NOPE"}, -1001),
        ("send_login_otp_v2", {"fy_id": "%%"}, -50),
        ("verify_otp", {"otp": "000000"}, -1018),
        ("verify_pin", {"identifier": "0000"}, -16),
    ],
)
async def test_wrong_steps_of_that_login(sim: Sim, step: str, form: dict[str, str], code: int) -> None:
    user = await _user(sim)
    login = "/auth/vagator/v2"
    key = (await _post(user, f"{login}/send_login_otp", fy_id="XS00001", app_id="2"))[1]["request_key"]
    assert (await _post(user, f"{login}/{step}", request_key=key, **form))[1]["code"] == code
