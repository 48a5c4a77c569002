"""One-time passwords for brokers that let a login go without a browser (RFC 6238, the authenticator's usual settings).

SHA-1, six digits, thirty seconds; the secret is the base32 text that the broker shows when the trader sets it up.
"""

import base64
import binascii
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from algo_brokers.errors import RequestRefused

STEP_S: Final = 30
_DIGITS: Final = 6


def totp_code(secret: str, now: int) -> str:
    """The six digits that are good at `now` (instant in ms).

    Raises:
        RequestRefused: the secret is no base32 text. It is not part of the message.
    """
    plain = "".join(secret.split()).upper().rstrip("=")
    try:
        key = base64.b32decode(plain + "=" * (-len(plain) % 8))
        if not key:
            raise ValueError
        # Brokers hand out secrets of 10 bytes too; the library's floor of 16 is advice for issuers.
        code = TOTP(key, _DIGITS, SHA1(), STEP_S, enforce_key_length=False)  # noqa: S303 - SHA-1 is the standard's
    except (binascii.Error, ValueError):
        raise RequestRefused(
            "the authenticator secret is no base32 text; copy it again from the broker's page for external TOTP"
        ) from None
    return code.generate(now // 1000).decode()
