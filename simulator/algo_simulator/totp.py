"""Time-based one-time codes (RFC 6238: SHA-1, 30 s, 6 digits), as every broker's login checks them."""

import base64
import binascii
import hashlib
import hmac
import struct
from typing import Final

STEP_MS: Final = 30_000
DIGITS: Final = 6


def code_at(secret: str, now: int) -> str:
    """The code of a base32 secret at an instant (ms).

    Raises:
        ValueError: the secret is no base32.
    """
    try:
        key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    except binascii.Error as error:
        raise ValueError("the TOTP secret of the account is no base32") from error
    digest = hmac.digest(key, struct.pack(">Q", now // STEP_MS), hashlib.sha1)
    start = digest[-1] & 0xF
    number = struct.unpack_from(">I", digest, start)[0] & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def accepts(secret: str, code: str, *clocks: int) -> bool:
    """Whether a code is right at any of some instants (ms), give or take one step.

    A world's clock and the wall's may be years apart, and a person's phone knows only the wall's: callers give both.
    """
    given = code.encode("utf-8", "replace")
    steps = [now + shift for now in clocks for shift in (-STEP_MS, 0, STEP_MS)]
    return any(hmac.compare_digest(given, code_at(secret, step).encode()) for step in steps if step >= 0)
