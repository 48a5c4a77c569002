"""How a trader's account gets a session: by the broker's page, by PIN and one-time password, or by a pasted token.

Every broker offers some of these ways; `Login` says which, and what credentials each needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from algo_brokers.session import Session


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What the trader has given of the account; empty where a broker has no use for it. Held encrypted elsewhere."""

    client_id: str
    api_key: str = ""
    api_secret: str = ""
    pin: str = ""
    totp_secret: str = ""
    """Base32 secret of the authenticator (RFC 6238)."""
    access_token: str = ""
    """A token that the trader made on the broker's own page."""
    redirect_uri: str = ""
    """As registered for the app at the broker."""

    def __repr__(self) -> str:
        """Without secrets: this text may reach a log."""
        return f"Credentials(client_id={self.client_id!r})"

    __str__ = __repr__

    def secrets(self) -> tuple[str, ...]:
        """What must not appear in any text."""
        return (self.api_key, self.api_secret, self.pin, self.totp_secret, self.access_token)


class BeginLogin(Protocol):
    """Start a login on the broker's page."""

    async def __call__(self, *, credentials: Credentials, state: str) -> str:
        """The address that the trader's browser opens. `state` comes back with the redirect, unless the record says
        that this broker has no place for it.

        Raises:
            BrokerError: the broker must be asked first and refused, or cannot be reached.
        """
        ...


class FinishLogin(Protocol):
    """Turn the redirect's query parameters into a session."""

    async def __call__(self, *, credentials: Credentials, callback: Mapping[str, str], now: int) -> Session:
        """Raises `BrokerError`; `now` is the instant of the login (ms)."""
        ...


class DirectLogin(Protocol):
    """A session without a browser: PIN and one-time password, or the trader's own token."""

    async def __call__(self, *, credentials: Credentials, now: int) -> Session:
        """Raises `BrokerError`. Never called in a loop: brokers lock accounts after wrong PINs."""
        ...


class RenewSession(Protocol):
    """A fresh session for one that still lives."""

    async def __call__(self, *, credentials: Credentials, session: Session, now: int) -> Session:
        """Raises `BrokerError`."""
        ...


class EndSession(Protocol):
    """End a session at the broker."""

    async def __call__(self, *, session: Session) -> None:
        """Raises `BrokerError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The ways into one broker. A way that the broker lacks is None."""

    broker: str
    redirect_needs: tuple[str, ...] = ()
    """Fields of `Credentials` that the page's way needs."""
    direct_needs: tuple[tuple[str, ...], ...] = ()
    """Sets of fields, any of which is enough for a direct login."""
    state_in_redirect: bool = True
    begin: BeginLogin | None = None
    finish: FinishLogin | None = None
    direct: DirectLogin | None = None
    renew: RenewSession | None = None
    end: EndSession | None = None
    """None: the broker has no such call, the token is only forgotten."""
    lives: str = ""
    """How long a session lives and how to get the next one, for the trader."""
