"""Every way into the broker, and how long a session lives."""

import base64
import json
from typing import Any

import pytest
from algo_brokers.dhan import session
from algo_brokers.errors import BadAnswer, BrokerUnavailable, RequestRefused, SessionRefused, TooManyRequests
from algo_brokers.http import HttpAnswer
from algo_brokers.login import Credentials
from algo_brokers.session import Session
from algo_brokers.totp import totp_code
from dhan_samples import AUTHENTICATOR, PROFILE, TOKEN
from dhan_stand import CANARY, CLIENT, HELD, KEY, SECRET, answer, error
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_795_405_800_000
EXPIRES = 1_795_491_311_000  # 2026-11-24T09:05:11 in India
KEYS = Credentials(client_id=CLIENT, api_key=KEY, api_secret=SECRET, pin="123456", totp_secret=AUTHENTICATOR)
PASTED = Credentials(client_id=CLIENT, access_token=CANARY)


def jwt(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"iss": "dhan", **claims}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzUxMiJ9.{payload}.c2ln"


def opened(body: Any, status: int = 200) -> Session:
    return session.session_of(answer(status, body), client_id=CLIENT, api_key=KEY, now=NOW)


def test_consent_and_the_page() -> None:
    request = session.consent_request(KEYS)
    assert (request.method, request.target) == ("POST", f"/app/generate-consent?client_id={CLIENT}")
    assert request.headers == (("app_id", KEY), ("app_secret", SECRET))
    told = answer(200, {"consentAppId": "a-b", "consentAppStatus": "GENERATED", "status": "success"})
    page = session.login_url(told, base="https://auth.example/")
    assert page == "https://auth.example/login/consentApp-login?consentAppId=a-b"
    with pytest.raises(RequestRefused, match="no consent; check client id"):
        session.login_url(answer(200, {"status": "success"}), base="x")
    with pytest.raises(RequestRefused, match="Invalid app"):
        session.login_url(answer(200, {"status": "error", "message": "Invalid app"}), base="x")


def test_the_redirect() -> None:
    assert session.token_id({"tokenId": "t"}) == "t"
    with pytest.raises(RequestRefused, match="start it again"):
        session.token_id({"status": "cancelled"})
    request = session.consume_request(KEYS, "t/1")
    assert (request.method, request.target) == ("GET", "/app/consumeApp-consent?tokenId=t%2F1")


def test_pin_and_one_time_password_are_sent_once_and_in_the_query() -> None:
    code = totp_code(AUTHENTICATOR, NOW)
    request = session.totp_request(KEYS, code)
    assert request.target == f"/app/generateAccessToken?dhanClientId={CLIENT}&pin=123456&totp={code}"
    assert (request.method, request.body, request.headers) == ("POST", b"", ())
    assert "123456" not in repr(request)
    for pin in ("", "12345", "12345x", "١٢٣٤٥٦"):
        with pytest.raises(RequestRefused, match="six digits") as caught:
            session.totp_request(Credentials(client_id=CLIENT, pin=pin), code)
        assert not pin or pin not in str(caught.value)


def test_a_session() -> None:
    assert opened(TOKEN) == Session(
        broker="dhan", client_id=CLIENT, api_key=KEY, access_token=CANARY, login_time=NOW, valid_until=EXPIRES
    )


def test_the_end_of_a_session_is_the_earlier_of_what_broker_and_token_say() -> None:
    early, late = EXPIRES // 1000 - 60, EXPIRES // 1000 + 60
    assert opened(TOKEN | {"accessToken": jwt(exp=early)}).valid_until == early * 1000
    assert opened(TOKEN | {"accessToken": jwt(exp=late)}).valid_until == EXPIRES
    assert opened({"token": jwt(exp=late, dhanClientId=CLIENT)}).valid_until == late * 1000
    assert opened({"token": CANARY}).valid_until == NOW + 86_400_000


def test_a_login_of_another_client() -> None:
    for body in (TOKEN | {"dhanClientId": "1"}, {"token": jwt(dhanClientId="1")}):
        with pytest.raises(BadAnswer, match="another client"):
            opened(body)


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (200, {"status": "error", "message": "Invalid Pin"}, RequestRefused, "Invalid Pin; nothing is tried again"),
        (200, {"status": "error", "message": "Invalid TOTP"}, RequestRefused, "wait 130 s"),
        (
            200,
            {"status": "error", "message": "Token can be generated once every 2 minutes"},
            TooManyRequests,
            "wait 130 s",
        ),
        (200, {"status": "error", **TOKEN}, RequestRefused, "no token"),
        (200, {}, RequestRefused, "no token; log in again"),
        (400, {"errorCode": "DH-905", "errorMessage": "bad"}, RequestRefused, "bad"),
        (400, {"errorCode": "DH-904", "errorMessage": "slow"}, TooManyRequests, "slow"),
        (429, {}, TooManyRequests, "wait 130 s"),
        (502, {}, BrokerUnavailable, "cannot answer"),
        (200, [], BadAnswer, "cannot be read"),
    ],
)
def test_refused_logins(status: int, body: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        opened(body, status)


def test_a_pasted_token_is_checked_against_the_profile() -> None:
    request = session.profile_request(CANARY, CLIENT)
    assert (request.method, request.target) == ("GET", "/v2/profile")
    assert request.headers == (("access-token", CANARY), ("dhanClientId", CLIENT))
    told = session.pasted_session(answer(200, PROFILE), credentials=PASTED, now=NOW)
    assert told == Session(
        broker="dhan",
        client_id=CLIENT,
        api_key="",
        access_token=CANARY,
        login_time=NOW,
        valid_until=EXPIRES - 11_000,
    )


@pytest.mark.parametrize(
    ("told", "kind", "text"),
    [
        (error(401, "DH-901"), SessionRefused, "log in again"),
        (error(400, "DH-906", "Invalid Token"), SessionRefused, "log in again"),
        (answer(200, PROFILE | {"dhanClientId": "1"}), BadAnswer, "another client"),
        (answer(200, PROFILE | {"dataPlan": "Deactive"}), RequestRefused, "subscribe to the Data APIs"),
        (answer(200, {}), BadAnswer, "profile"),
    ],
)
def test_refused_pasted_tokens(told: HttpAnswer, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        session.pasted_session(told, credentials=PASTED, now=NOW)


def test_renewal() -> None:
    request = session.renew_request(HELD)
    assert (request.method, request.target) == ("GET", "/v2/RenewToken")
    assert request.headers == (("access-token", CANARY), ("dhanClientId", CLIENT))
    web = Session(**{**_fields(HELD), "access_token": jwt(tokenConsumerType="SELF")})
    assert session.renew_request(web).target == "/v2/RenewToken"
    app = Session(**{**_fields(HELD), "access_token": jwt(tokenConsumerType="APP")})
    with pytest.raises(RequestRefused, match="made on the broker's web page"):
        session.renew_request(app)


def _fields(held: Session) -> dict[str, Any]:
    return {name: getattr(held, name) for name in held.__struct_fields__}


@given(st.text(max_size=60) | st.builds(lambda payload: f"a.{payload}.c", st.text(max_size=40)))
def test_the_claims_of_any_text(token: str) -> None:
    told = session.claims_of(token)
    assert told == session.Claims() or token.count(".") >= 1


@given(st.binary(max_size=200))
def test_arbitrary_login_answers(body: bytes) -> None:
    told = HttpAnswer(200, "application/json", body)
    try:
        held = session.session_of(told, client_id=CLIENT, api_key=KEY, now=NOW)
    except (BadAnswer, RequestRefused, TooManyRequests):
        return
    assert held.access_token
