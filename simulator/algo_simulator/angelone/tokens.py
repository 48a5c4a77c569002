"""The tokens of an account: signed, with a readable expiry, and valid beside those of earlier logins.

The life of a token is counted by the world's clock. The expiry that it tells is never in the past of the machine's
clock, because clients compare the two and a world may replay a day of long ago.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha512
from typing import Final

import msgspec
from algo_crds.contracts.clock import IST, instant

from algo_simulator.accounts import Account
from algo_simulator.angelone.rules import BrokerRules

_MEMO: Final = "angelone-tokens"
_KEEP: Final = 50
"""Logins that are remembered of one account; the oldest is forgotten first."""
_HEADER: Final = {"alg": "HS512"}


class TokenSet(msgspec.Struct, kw_only=True):
    """What one login or renewal gave."""

    jwt: str
    refresh: str
    feed: str
    dies_at: int
    """Instant (ms of the world's clock)."""
    dead: bool = False
    """Expired by a fault switch."""

    def __repr__(self) -> str:
        return "TokenSet(...)"


class TokenBook:
    """The tokens of one account."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(64)
        self._sets: list[TokenSet] = []

    def issue(self, account: Account, rules: BrokerRules, now: int, wall: int) -> TokenSet:
        """A new set at `now` by the world's clock and `wall` by the machine's (ms); earlier ones stay valid."""
        dies_at = next_expiry(rules, now)
        told = max(dies_at, next_expiry(rules, wall))
        client = account.spec.client_id
        jwt, refresh, feed = (self._signed(client, kind, wall, told) for kind in ("trade", "refresh", "feed"))
        made = TokenSet(jwt=jwt, refresh=refresh, feed=feed, dies_at=dies_at)
        self._sets = [*self._sets[-(_KEEP - 1) :], made]
        account.access_token, account.token_valid_until = jwt, dies_at
        account.refresh_token, account.feed_token = refresh, feed
        return made

    def find(self, account: Account, *, jwt: str = "", refresh: str = "", feed: str = "") -> TokenSet | None:
        """The set that has the token."""
        if self._sets and not account.access_token:
            for known in self._sets:
                known.dead = True
        given = (jwt or refresh or feed).encode("utf-8", "replace")
        for known in self._sets:
            held = known.jwt if jwt else known.refresh if refresh else known.feed
            if given and hmac.compare_digest(held.encode(), given):
                return known
        return None

    def forget(self, account: Account) -> None:
        """Log out: no token of the account is known any more."""
        self._sets = []
        account.access_token = account.refresh_token = account.feed_token = ""

    def _signed(self, client: str, kind: str, wall: int, told: int) -> str:
        claims = {
            "username": client,
            "usertype": "USER",
            "tokenType": f"{kind}_token",
            "iat": wall // 1000,
            "exp": told // 1000,
            "jti": secrets.token_hex(8),
        }
        text = ".".join(_packed(msgspec.json.encode(part)) for part in (_HEADER, claims))
        return f"{text}.{_packed(hmac.digest(self._secret, text.encode(), sha512))}"


def token_book(account: Account) -> TokenBook:
    """The account's tokens."""
    found = account.memo.get(_MEMO)
    if not isinstance(found, TokenBook):
        found = account.memo[_MEMO] = TokenBook()
    return found


def next_expiry(rules: BrokerRules, now: int) -> int:
    """The next instant at which all tokens die."""
    moment = datetime.fromtimestamp(now / 1000, IST)
    day = moment.date() if moment.time() < rules.token_dies_at else moment.date() + timedelta(days=1)
    return instant(day, rules.token_dies_at)


def _packed(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
