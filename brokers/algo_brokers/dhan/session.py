"""Login at Dhan: consent on the broker's page, PIN and one-time password, a pasted token, renewal; and a token's life.

Source: DhanHQ v2 docs, authentication. A token lives 24 hours from when it was made, and only one lives: a new one ends
the one before at once. The login host answers errors with HTTP 200, so the body decides.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import msgspec

from algo_brokers.dhan.answers import decode, error_of, good, instant_of
from algo_brokers.dhan.limits import TOKEN_EVERY_S
from algo_brokers.errors import BadAnswer, BrokerUnavailable, RequestRefused, TooManyRequests
from algo_brokers.http import HttpAnswer, HttpRequest, with_query
from algo_brokers.login import Credentials
from algo_brokers.session import Session

LIVES: Final = (
    "a token lives 24 hours and ends at once when another is made anywhere; log in again, or renew it while it lives"
    " if it was made on the broker's web page"
)
_LIFE_MS: Final = 86_400_000
_WEB: Final = "SELF"
"""`tokenConsumerType` of a token made on the web page; only these can be renewed."""


class Claims(msgspec.Struct, frozen=True, rename="camel"):
    """What a token says of itself; zero and empty where it says nothing."""

    exp: int = 0
    dhan_client_id: str = ""
    token_consumer_type: str = ""


class _Token(msgspec.Struct, frozen=True, rename="camel"):
    access_token: str = ""
    token: str = ""
    dhan_client_id: str = ""
    expiry_time: str = ""
    status: str = ""
    message: str = ""


class _Consent(msgspec.Struct, frozen=True, rename="camel"):
    consent_app_id: str = ""
    status: str = ""
    message: str = ""


class _Profile(msgspec.Struct, frozen=True, rename="camel"):
    dhan_client_id: str
    token_validity: str
    data_plan: str = "Active"


def claims_of(token: str) -> Claims:
    """The claims of a JWT, unchecked: its signature is the broker's business. Another kind of token has none."""
    try:
        payload = token.split(".")[1]
        return msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=Claims)
    except (IndexError, binascii.Error, ValueError, msgspec.MsgspecError):
        return Claims()


def consent_request(credentials: Credentials) -> HttpRequest:
    """Ask for a consent, which the broker's page then wants; 25 a day."""
    target = with_query("/app/generate-consent", [("client_id", credentials.client_id)])
    return HttpRequest("POST", target, _app(credentials))


def login_url(answer: HttpAnswer, *, base: str) -> str:
    """The page that the trader's browser opens. Dhan has no place for a state.

    Raises:
        BrokerError: the broker gave no consent.
    """
    consent = decode(_body(answer), _Consent, "consent")
    if not consent.consent_app_id:
        raise _refused(consent.message, "the broker gave no consent; check client id, api_key and api_secret")
    return with_query(f"{base.rstrip('/')}/login/consentApp-login", [("consentAppId", consent.consent_app_id)])


def token_id(callback: Mapping[str, str]) -> str:
    """The token id in the redirect's query.

    Raises:
        RequestRefused: the broker's page ended without a login.
    """
    found = callback.get("tokenId", "")
    if not found:
        raise RequestRefused("the broker's page ended without a login; start it again")
    return found


def consume_request(credentials: Credentials, token: str) -> HttpRequest:
    """Turn the redirect's token id into a session."""
    return HttpRequest("GET", with_query("/app/consumeApp-consent", [("tokenId", token)]), _app(credentials))


def totp_request(credentials: Credentials, code: str) -> HttpRequest:
    """A session by PIN and one-time password, all in the query; empty body.

    Raises:
        RequestRefused: the PIN is not six digits.
    """
    pin = credentials.pin
    if not (len(pin) == 6 and pin.isascii() and pin.isdigit()):
        raise RequestRefused("the PIN must be the six digits of the broker's app; nothing was sent")
    query = [("dhanClientId", credentials.client_id), ("pin", pin), ("totp", code)]
    return HttpRequest("POST", with_query("/app/generateAccessToken", query))


def profile_request(token: str, client_id: str) -> HttpRequest:
    """The cheapest call that needs a living token."""
    return HttpRequest("GET", "/v2/profile", _bearer(token, client_id))


def renew_request(session: Session) -> HttpRequest:
    """A fresh token for a living one, which it ends; only GET works.

    Raises:
        RequestRefused: the token was not made on the broker's web page, so the broker would refuse.
    """
    kind = claims_of(session.access_token).token_consumer_type
    if kind and kind != _WEB:
        raise RequestRefused("only a token made on the broker's web page can be renewed; log in again")
    return HttpRequest("GET", "/v2/RenewToken", _bearer(session.access_token, session.client_id))


def session_of(answer: HttpAnswer, *, client_id: str, api_key: str, now: int) -> Session:
    """The session in the answer of any login or renewal.

    Raises:
        BrokerError: refused, or the answer is for another client.
    """
    told = decode(_body(answer), _Token, "login answer")
    token = told.access_token or told.token
    if told.status == "error" or not token:
        raise _refused(told.message, "the broker's login answer has no token; log in again")
    _same_client(told.dhan_client_id or claims_of(token).dhan_client_id or client_id, client_id)
    return Session(
        broker="dhan",
        client_id=client_id,
        api_key=api_key,
        access_token=token,
        login_time=now,
        valid_until=_ends(token, instant_of(told.expiry_time), now),
    )


def pasted_session(answer: HttpAnswer, *, credentials: Credentials, now: int) -> Session:
    """The session of a token that the trader made on the web page, after the profile was read with it.

    Raises:
        BrokerError: the token is dead, another client's, or without the data plan that prices need.
    """
    profile = decode(good(answer), _Profile, "profile")
    _same_client(profile.dhan_client_id, credentials.client_id)
    if profile.data_plan != "Active":
        raise RequestRefused("the account has no data plan, so there are no prices: subscribe to the Data APIs first")
    return Session(
        broker="dhan",
        client_id=credentials.client_id,
        api_key="",
        access_token=credentials.access_token,
        login_time=now,
        valid_until=_ends(credentials.access_token, instant_of(profile.token_validity), now),
    )


def _ends(token: str, told: int, now: int) -> int:
    """The earlier of what the broker and the token say; 24 hours from now where neither does."""
    said = [instant for instant in (told, claims_of(token).exp * 1000) if instant > 0]
    return min(said, default=now + _LIFE_MS)


def _app(credentials: Credentials) -> tuple[tuple[str, str], ...]:
    return (("app_id", credentials.api_key), ("app_secret", credentials.api_secret))


def _bearer(token: str, client_id: str) -> tuple[tuple[str, str], ...]:
    return (("access-token", token), ("dhanClientId", client_id))


def _same_client(told: str, wanted: str) -> None:
    if told != wanted:
        raise BadAnswer("the broker says that this login is for another client; log in as the account's own client")


def _body(answer: HttpAnswer) -> bytes:
    """The login host's answer: a refusal is a body with HTTP 200 too."""
    if 200 <= answer.status < 300:
        return answer.body
    error = error_of(answer)
    if answer.status == 429 or error.code == "DH-904":
        raise TooManyRequests(f"{error.message}; wait {TOKEN_EVERY_S} s before the next login")
    if answer.status >= 500:
        raise BrokerUnavailable(f"the login host cannot answer: {error.message}")
    raise RequestRefused(f"the login was refused: {error.message}")


def _refused(message: str, otherwise: str) -> RequestRefused | TooManyRequests:
    """One attempt is made, never two: a wrong PIN repeated locks the account."""
    if "2 minutes" in message:
        return TooManyRequests(f"{message}; wait {TOKEN_EVERY_S} s before the next login")
    if not message:
        return RequestRefused(otherwise)
    return RequestRefused(f"{message}; nothing is tried again: correct it and wait {TOKEN_EVERY_S} s")
