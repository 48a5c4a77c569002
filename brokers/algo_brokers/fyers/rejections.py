"""What a refusal means: Fyers' codes, HTTP statuses and texts, mapped to our kinds.

A code that names one cause decides; of codes that only say "refused" (-50, -99, -163) the text decides. Sources: docs
v3 (error codes), the error list of Fyers' sample repository, the regulatory notes of April 2026.
"""

from typing import Final

from algo_crds.contracts.orders import RejectKind

from algo_brokers.refusal_texts import TextRules, has_any, kind_by_words

_K = RejectKind

SESSION_DEAD: Final = frozenset({-8, -15, -16, -17})
"""The token is expired, invalid or unknown; the trading host says -16 where the data host says -15."""
RATE: Final = frozenset({-353, -429, 429})
UNCERTAIN: Final = frozenset({-96, -201, -202, -204, -205})
"""Unexpected errors and lost connections behind the API: the order may stand."""
NO_ACKNOWLEDGEMENT: Final = 201
"""Sent, not yet answered by the exchange. No error: look in the book."""

ADDRESS_TEXTS: Final = ("static ip", "ip address", "whitelist", "unregistered ip", "ip not")
TIMEOUT_TEXTS: Final = ("timed out", "time out", "timeout")
RATE_TEXTS: Final = ("too many requests", "rate limit", "limit exceeded", "request limit", "blocked for the day")

_BY_CODE: Final = {
    -51: _K.NOT_MODIFIABLE,
    -53: _K.ORDER_OTHER,
    -101: _K.ORDER_OTHER,
    -157: _K.SESSION,
    -159: _K.NOT_MODIFIABLE,
    -161: _K.NOT_MODIFIABLE,
    -162: _K.NOT_MODIFIABLE,
    -164: _K.NOT_MODIFIABLE,
    -209: _K.NOT_MODIFIABLE,
    -300: _K.ORDER_OTHER,
    -305: _K.PRODUCT,
    -308: _K.PRICE,
    -310: _K.QUANTITY,
    -311: _K.PRICE,
    -313: _K.ORDER_OTHER,
    -314: _K.PRODUCT,
    -316: _K.PRICE,
    -323: _K.PRODUCT,
    -325: _K.PRICE,
    -326: _K.ORDER_OTHER,
    -327: _K.QUANTITY,
    -328: _K.ORDER_OTHER,
    -329: _K.NOT_MODIFIABLE,
    -371: _K.SESSION,
    -372: _K.PRICE,
    -373: _K.SESSION,
    -374: _K.SESSION,
    -392: _K.TICK_SIZE,
    -397: _K.QUANTITY,
    -398: _K.QUANTITY,
    -399: _K.NOT_MODIFIABLE,
    -437: _K.SESSION,
    -501: _K.SESSION,
    400: _K.ORDER_OTHER,
}
"""Codes with one meaning."""

_BY_TEXT: Final = {
    -50: _K.ORDER_OTHER,
    -99: _K.ORDER_OTHER,
    -163: _K.NOT_MODIFIABLE,
    -309: _K.PRICE,
    -315: _K.PRICE,
    -390: _K.PRICE,
}
"""Codes whose text says more; what they mean where it does not."""

_ORDER_TEXTS: Final[TextRules] = (
    # all words of the first part must occur; the more certain ones first
    (("modif", "maximum"), _K.TOO_MANY_CHANGES),
    (("modif", "exceed"), _K.TOO_MANY_CHANGES),
    (("margin", "shortfall"), _K.MARGIN),
    (("margin", "exceed"), _K.MARGIN),
    (("insufficient", "fund"), _K.MARGIN),
    (("insufficient", "margin"), _K.MARGIN),
    (("insufficient", "balance"), _K.MARGIN),
    (("tick",), _K.TICK_SIZE),
    (("circuit",), _K.BAND),
    (("price band",), _K.BAND),
    (("price range",), _K.BAND),
    (("dpr",), _K.BAND),
    (("stop", "last traded price"), _K.THROUGH),
    (("stop", "ltp"), _K.THROUGH),
    (("trigger", "last traded price"), _K.THROUGH),
    (("trigger", "ltp"), _K.THROUGH),
    (("trigger", "too far"), _K.GAP),
    (("stop", "too far"), _K.GAP),
    (("market", "closed"), _K.CLOSED),
    (("market", "not open"), _K.CLOSED),
    (("outside", "market hours"), _K.CLOSED),
    (("square off", "time"), _K.CLOSED),
    (("already", "traded"), _K.NOT_MODIFIABLE),
    (("already", "cancel"), _K.NOT_MODIFIABLE),
    (("already", "reject"), _K.NOT_MODIFIABLE),
    (("not", "modif"), _K.NOT_MODIFIABLE),
    (("cannot be cancelled",), _K.NOT_MODIFIABLE),
    (("invalid order id",), _K.NOT_MODIFIABLE),
    (("order not found",), _K.NOT_MODIFIABLE),
    (("freeze",), _K.QUANTITY),
    (("lot",), _K.QUANTITY),
    (("quantity",), _K.QUANTITY),
    (("qty",), _K.QUANTITY),
    (("holding",), _K.QUANTITY),
    (("product",), _K.PRODUCT),
    (("price",), _K.PRICE),
)

DOCUMENTED: Final = (
    SESSION_DEAD | RATE | UNCERTAIN | frozenset(_BY_CODE) | frozenset(_BY_TEXT) | {-352, NO_ACKNOWLEDGEMENT}
)
"""Every code that somebody has written down."""


def kind_of_text(message: str) -> RejectKind:
    """The kind of an order's refusal by its text, `ORDER_OTHER` if it says nothing we know."""
    return kind_by_words(message, _ORDER_TEXTS)


def refusal(status: int, code: int | None, message: str) -> RejectKind | None:
    """The certain refusal that an error answer means, or None where the order may stand all the same.

    Dead sessions, rate limits and the address are checked before the order system, so they are certain under any
    status. Everything else is not certain with a 5xx, with a time-out in its text, or under a code nobody wrote down.
    """
    text = message.lower()
    if code in SESSION_DEAD:
        return RejectKind.SESSION
    if status == 429 or code in RATE or has_any(text, RATE_TEXTS):
        return RejectKind.RATE
    if status < 500 and has_any(text, ADDRESS_TEXTS):
        return RejectKind.ADDRESS
    if status >= 500 or code in UNCERTAIN or has_any(text, TIMEOUT_TEXTS):
        return None
    if code is None:
        return {401: RejectKind.SESSION, 403: RejectKind.ADDRESS}.get(status)
    if code == -352:
        # Two meanings: an app that does not exist, and "no position to exit".
        return RejectKind.QUANTITY if "position" in text else RejectKind.SESSION
    if code in _BY_CODE:
        return _BY_CODE[code]
    by_text = kind_of_text(message)
    if by_text is not RejectKind.ORDER_OTHER:
        return by_text
    return _BY_TEXT.get(code)
