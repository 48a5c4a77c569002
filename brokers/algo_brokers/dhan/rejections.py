"""What a refusal means: Dhan's codes, and texts where a code says too little, mapped to our kinds.

Codes decide, because texts are not stable; texts are looked at only under DH-905 and DH-906, which stand for every rule
of an order, and in rows of orders that the exchange or the broker's risk system rejected. Sources: DhanHQ v2 docs
(introduction, annexure), field reports.
"""

from typing import Final

from algo_crds.contracts.orders import RejectKind

from algo_brokers.refusal_texts import TextRules, has_any, kind_by_words

_K = RejectKind

TOKEN_TEXTS: Final = ("invalid token", "token expired", "token is expired", "token is invalid", "access token")
"""DH-906 stands for a dead token too."""
AMBIGUOUS_TEXTS: Final = ("transaction has failed", "timed out", "time out", "timeout", "try again")
"""Trouble between the API and the order system: the order may stand all the same."""

_SESSION_OVER: Final = frozenset({"DH-901", "807", "808", "809", "810"})
"""Client id or token: dead, or replaced by another login (only one token lives)."""
_CERTAIN: Final[dict[str, RejectKind]] = {
    "DH-901": _K.SESSION,
    "DH-902": _K.SESSION,
    "DH-903": _K.PRODUCT,
    "DH-904": _K.RATE,
    "DH-907": _K.ORDER_OTHER,
    "DH-911": _K.ADDRESS,
    "DH-1111": _K.ORDER_OTHER,
    "804": _K.ORDER_OTHER,
    "805": _K.RATE,
    "806": _K.SESSION,
    "807": _K.SESSION,
    "808": _K.SESSION,
    "809": _K.SESSION,
    "810": _K.SESSION,
    "811": _K.ORDER_OTHER,
    "812": _K.ORDER_OTHER,
    "813": _K.ORDER_OTHER,
    "814": _K.ORDER_OTHER,
    "820": _K.SESSION,
    "821": _K.SESSION,
}
_BY_TEXT: Final = frozenset({"DH-905", "DH-906"})
DOWN: Final = frozenset({"DH-908", "DH-909", "800"})
NO_HOLDINGS: Final = "DH-1111"
BAD_INPUT: Final = "DH-905"
TOO_MANY_CONNECTIONS: Final = 805

MEANING: Final[dict[str, str]] = {
    "800": "the broker has internal trouble",
    "804": "too many instruments",
    "805": "too many requests or connections: the broker may block the user; wait a minute before the next try",
    "806": "the account has no data plan: subscribe to the Data APIs at the broker",
    "807": "the token has expired: log in again",
    "808": "client id or token refused: log in again",
    "809": "the token is invalid: log in again",
    "810": "the client id is invalid: check the account, then log in again",
    "811": "invalid expiry date",
    "812": "invalid date format",
    "813": "invalid security id",
    "814": "invalid request",
    "820": "the account has no data plan: subscribe to the Data APIs at the broker",
    "821": "the account has no data plan: subscribe to the Data APIs at the broker",
}
"""Codes of the data family; they come with no text, or with one that changes."""

_ORDER_TEXTS: Final[TextRules] = (
    # all words of the first part must occur
    (("modif", "maximum"), _K.TOO_MANY_CHANGES),
    (("modif", "limit exceed"), _K.TOO_MANY_CHANGES),
    (("insufficient", "fund"), _K.MARGIN),
    (("insufficient", "margin"), _K.MARGIN),
    (("margin exceed",), _K.MARGIN),
    (("margin shortfall",), _K.MARGIN),
    (("tick size",), _K.TICK_SIZE),
    (("16316",), _K.TICK_SIZE),
    (("circuit",), _K.BAND),
    (("price band",), _K.BAND),
    (("price range",), _K.BAND),
    (("trigger price should be",), _K.PRICE),
    (("trigger", "last traded price"), _K.THROUGH),
    (("trigger", "market price"), _K.THROUGH),
    (("trigger", "ltp"), _K.THROUGH),
    (("trigger", "difference"), _K.GAP),
    (("trigger", "range"), _K.GAP),
    (("market is closed",), _K.CLOSED),
    (("market", "not open"), _K.CLOSED),
    (("square off", "time"), _K.CLOSED),
    (("cannot be modified",), _K.NOT_MODIFIABLE),
    (("cannot be cancelled",), _K.NOT_MODIFIABLE),
    (("order not found",), _K.NOT_MODIFIABLE),
    (("already", "traded"), _K.NOT_MODIFIABLE),
    (("already", "cancel"), _K.NOT_MODIFIABLE),
    (("already", "reject"), _K.NOT_MODIFIABLE),
    (("freeze",), _K.QUANTITY),
    (("lot size",), _K.QUANTITY),
    (("quantity",), _K.QUANTITY),
    (("holding",), _K.QUANTITY),
    (("product",), _K.PRODUCT),
    (("segment", "not"), _K.PRODUCT),
    (("price",), _K.PRICE),
)


def kind_of_text(message: str) -> RejectKind:
    """The kind of an order's refusal by its text, `ORDER_OTHER` if it says nothing we know."""
    return kind_by_words(message, _ORDER_TEXTS)


def session_over(status: int, code: str, message: str) -> bool:
    """Whether the refusal says that the token itself is dead."""
    if code in _BY_TEXT:
        text = message.lower()
        return has_any(text, TOKEN_TEXTS)
    return code in _SESSION_OVER or (not code and status == 401)


def refusal(status: int, code: str, message: str) -> RejectKind | None:
    """The certain refusal that an error answer to a write means, or None where the order may stand all the same.

    A code that is not listed is never a refusal: it says nothing certain. Without a code only the statuses that a
    gateway answers before the order system are certain.
    """
    if status == 429:
        return RejectKind.RATE
    if session_over(status, code, message):
        return RejectKind.SESSION
    if code in _CERTAIN:
        return _CERTAIN[code]
    if code in _BY_TEXT:
        text = message.lower()
        return None if has_any(text, AMBIGUOUS_TEXTS) else kind_of_text(message)
    if not code and status == 403:
        return RejectKind.BROKER_DOWN  # the gateway in front of the broker turns calls away
    return None
