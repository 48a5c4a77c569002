"""The ways into an Angel One account: PIN and one-time password, or the broker's page; renewal and logout.

Each call is made once: the broker locks an account after a few wrong PINs.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from algo_brokers.adapter_parts import TransportTo
from algo_brokers.angelone import envelope, requests, responses, session
from algo_brokers.calls import answered, without
from algo_brokers.endpoints import Endpoints
from algo_brokers.errors import RequestRefused
from algo_brokers.http import HttpAnswer
from algo_brokers.login import Credentials, Login
from algo_brokers.session import Session, secrets_of
from algo_brokers.totp import totp_code

_ADVICE: Final = {
    "AB1050": "the one-time password is wrong: check this machine's clock and the authenticator secret, wait for the "
    "next code (30 s) and try once more",
    "AB1000": "client code or PIN is wrong: check both before the next try, the broker locks the account",
    "AB1007": "client code or PIN is wrong, or the account is not enabled for the API: check before the next try",
    "AB1006": "the account is blocked for trading: ask the broker",
    "AG8004": "the API key is wrong: copy it again from the broker's page for apps",
    "AB8050": "log in again with PIN and one-time password",
    "AB8051": "log in again with PIN and one-time password",
}
LIVES: Final = (
    "a session ends at 00:00 (India); log in with PIN and one-time password, or on the broker's page, before each "
    "trading day"
)


def create_login(transport: TransportTo, endpoints: Endpoints) -> Login:
    """Logins of one account. The broker has its login calls on the host of its orders."""
    send = transport(endpoints.rest)

    async def direct(*, credentials: Credentials, now: int) -> Session:
        request = session.login_request(credentials, now=now)
        with without(*credentials.secrets(), totp_code(credentials.totp_secret, now)):
            data = _data(await answered(send, request))
            return session.session_of(data, client_id=credentials.client_id, api_key=credentials.api_key, now=now)

    async def begin(*, credentials: Credentials, state: str) -> str:
        return session.login_url(api_key=credentials.api_key, state=state, base=endpoints.login)

    async def finish(*, credentials: Credentials, callback: Mapping[str, str], now: int) -> Session:
        made = session.session_of_redirect(callback, credentials, now=now)
        with without(*credentials.secrets(), *secrets_of(made)):
            owner = responses.client_code(_data(await answered(send, requests.profile(made))))
        if owner.upper() != credentials.client_id.upper():
            raise RequestRefused("the broker's page was used with another account; log in with this one")
        return made

    async def renew(*, credentials: Credentials, session: Session, now: int) -> Session:
        request = _renew_request(session)
        with without(*credentials.secrets(), *secrets_of(session)):
            made = _session_of(
                _data(await answered(send, request)), client_id=session.client_id, api_key=session.api_key, now=now
            )
        # Some answers hold no new refresh token; then the old one goes on.
        return made if made.refresh_token else msgspec.structs.replace(made, refresh_token=session.refresh_token)

    async def end(*, session: Session) -> None:
        with without(*secrets_of(session)):
            _data(await answered(send, _logout_request(session)))

    return Login(
        broker="angelone",
        redirect_needs=("api_key",),
        direct_needs=(("api_key", "pin", "totp_secret"),),
        begin=begin,
        finish=finish,
        direct=direct,
        renew=renew,
        end=end,
        lives=LIVES,
    )


_renew_request, _logout_request, _session_of = session.renew_request, session.logout_request, session.session_of


def _data(answer: HttpAnswer) -> bytes:
    """The `data` of a login call; a refusal says what to do about it. Raises `BrokerError`."""
    opened = envelope.open_envelope(answer)
    if not isinstance(opened, envelope.Failure):
        return bytes(opened)
    error = envelope.read_error(opened)
    advice = _ADVICE.get(opened.code)
    raise type(error)(f"{error}; {advice}" if advice else str(error))
