"""Claims of the signed tokens between operator, runner and gateway (EdDSA JWTs; signing lives in the operator).

A runner's token makes it the owner of one strategy's orders at one account under one epoch, nothing else.
"""

from typing import Final

import msgspec

ALGORITHM: Final = "EdDSA"
ISSUER: Final = "algo-operator"


class RunnerClaims(msgspec.Struct, frozen=True, kw_only=True):
    """Audience `gateway`, subject: the strategy's id."""

    iss: str
    aud: str
    sub: str
    account: str
    epoch: int
    """max(last + 1, Unix second), kept in `.status.runner.epoch`."""
    exchange: str
    symbol: str
    product: str


AUDIENCE_RUNNER: Final = "gateway"
AUDIENCE_ADMIN: Final = "gateway-admin"
"""The operator's own calls (`POST /halt`); the claims are iss, aud, sub and exp."""


def next_epoch(last: int, unix_second: int) -> int:
    """The next epoch: never falls back, needs no Redis."""
    return max(last + 1, unix_second)
