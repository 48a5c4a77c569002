"""The tokens of an account: signed, with a readable expiry, and valid beside those of earlier logins."""

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

    def issue(self, account: Account, rules: BrokerRules, now: int) -> TokenSet:
        """A new set; earlier ones stay valid."""
        dies_at = next_expiry(rules, now)
        client = account.spec.client_id
        jwt, refresh, feed = (self._signed(client, kind, now, dies_at) for kind in ("trade", "refresh", "feed"))
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

    def _signed(self, client: str, kind: str, now: int, dies_at: int) -> str:
        claims = {
            "username": client,
            "usertype": "USER",
            "tokenType": f"{kind}_token",
            "iat": now // 1000,
            "exp": dies_at // 1000,
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
