"""Login requests, tokens and how long a session lives. The calls themselves: `test_login.py`."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from algo_brokers.angelone import session
from algo_brokers.errors import BadAnswer, RequestRefused
from algo_brokers.login import Credentials
from algo_brokers.totp import totp_code
from angelone_samples import AT, held, raw
from hypothesis import given
from hypothesis import strategies as st

RFC_KEY = base64.b32encode(b"12345678901234567890").decode()
KEYS = Credentials(client_id="S000123", api_key="k", pin="1234", totp_secret=RFC_KEY)
MIDNIGHT = 1772476200_000


def jwt(claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzUxMiJ9.{body}.c2ln"


def test_one_time_passwords_of_the_standard() -> None:
    for at, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")):
        assert totp_code(RFC_KEY, at * 1000) == code
    assert totp_code("gezd gnbv gy3t qojq gezd gnbv gy3t qojq", 59_000) == "287082"
    assert totp_code("JBSWY3DPEHPK3PXP", 0) == totp_code("JBSWY3DPEHPK3PXP====", 29_999)


@pytest.mark.parametrize("secret", ["", "not base32!", "A", "0189"])
def test_a_secret_that_is_none(secret: str) -> None:
    with pytest.raises(RequestRefused, match="base32") as caught:
        totp_code(secret, 0)
    assert not secret or repr(secret) not in str(caught.value)


def test_login_request() -> None:
    request = session.login_request(KEYS, now=59_000)
    assert (request.method, request.target) == ("POST", "/rest/auth/angelbroking/user/v1/loginByPassword")
    assert json.loads(request.body) == {"clientcode": "S000123", "password": "1234", "totp": "287082"}
    assert dict(request.headers)["X-PrivateKey"] == "k"
    assert "Authorization" not in dict(request.headers)


def test_renew_and_logout_requests() -> None:
    renew = session.renew_request(held())
    assert renew.target == "/rest/auth/angelbroking/jwt/v1/generateTokens"
    assert json.loads(renew.body) == {"refreshToken": "r.r.r"}
    assert dict(renew.headers)["Authorization"] == "Bearer h.p.s"
    with pytest.raises(RequestRefused, match="cannot be renewed"):
        session.renew_request(held(refresh_token=""))
    out = session.logout_request(held())
    assert out.target == "/rest/secure/angelbroking/user/v1/logout"
    assert json.loads(out.body) == {"clientcode": "S000123"}


def test_login_page() -> None:
    url = urlsplit(session.login_url(api_key="k&k", state="a b"))
    assert (url.netloc, url.path) == ("smartapi.angelone.in", "/publisher-login")
    assert parse_qs(url.query) == {"api_key": ["k&k"], "state": ["a b"]}


@pytest.mark.parametrize(
    ("token", "until"),
    [
        (jwt({"exp": AT // 1000 + 60}), (AT // 1000 + 60) * 1000),
        (jwt({"exp": AT // 1000 + 60.5}), (AT // 1000) * 1000 + 60_500),
        (jwt({"exp": AT // 1000 + 28 * 3600}), MIDNIGHT),
        (jwt({"exp": AT // 1000 - 1}), (AT // 1000 - 1) * 1000),
        (jwt({}), MIDNIGHT),
        (jwt({"exp": "soon"}), MIDNIGHT),
        (jwt([]), MIDNIGHT),
        ("h.!!!.s", MIDNIGHT),
        ("h.A.s", MIDNIGHT),
        ("opaque", MIDNIGHT),
        (jwt({"exp": 1e400}), MIDNIGHT),
    ],
)
def test_a_session_dies_at_midnight_or_earlier_if_it_says_so(token: str, until: int) -> None:
    assert session.valid_until(token, AT) == until


def test_midnight_is_the_next_one() -> None:
    assert session.midnight_after(MIDNIGHT - 1) == MIDNIGHT
    assert session.midnight_after(MIDNIGHT) == MIDNIGHT + 86_400_000


def test_session_of_a_login() -> None:
    token = jwt({"exp": AT // 1000 + 100_000})
    data = raw({"jwtToken": f"Bearer {token}", "refreshToken": "r", "feedToken": "f", "state": "live"})
    made = session.session_of(data, client_id="S000123", api_key="k", now=AT)
    assert (made.broker, made.client_id, made.api_key) == ("angelone", "S000123", "k")
    assert (made.access_token, made.refresh_token, made.feed_token) == (token, "r", "f")
    assert (made.login_time, made.valid_until) == (AT, MIDNIGHT)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        raw({}),
        raw({"jwtToken": "", "feedToken": "f"}),
        raw({"jwtToken": "Bearer ", "feedToken": "f"}),
        raw({"jwtToken": "j", "feedToken": ""}),
        raw({"jwtToken": None, "feedToken": "f"}),
    ],
)
def test_a_login_without_a_token(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        session.session_of(data, client_id="c", api_key="k", now=AT)


def test_session_of_a_redirect() -> None:
    made = session.session_of_redirect({"auth_token": "Bearer j", "feed_token": "f", "state": "s"}, KEYS, now=AT)
    assert (made.access_token, made.feed_token, made.refresh_token) == ("j", "f", "")
    old = session.session_of_redirect({"auth_token": "j", "feed_token": "f", "refresh_token": "r"}, KEYS, now=AT)
    assert old.refresh_token == "r"
    for ended in ({}, {"auth_token": "j"}, {"feed_token": "f"}, {"auth_token": "Bearer ", "feed_token": "f"}):
        with pytest.raises(RequestRefused, match="without a login"):
            session.session_of_redirect(ended, KEYS, now=AT)


@given(st.text(max_size=60))
def test_arbitrary_tokens(token: str) -> None:
    assert session.valid_until(token, AT) <= MIDNIGHT
