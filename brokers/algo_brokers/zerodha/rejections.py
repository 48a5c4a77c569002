"""What a refusal means: Zerodha's error types, HTTP codes and texts, mapped to our kinds.

Texts are matched in lower case and in order, the more certain ones first: one text may speak of a trigger price and of
the circuit, and then the circuit is the cause. Sources: Kite Connect docs (exceptions), staff answers on the forum.
"""

from typing import Final

from algo_crds.contracts.orders import RejectKind

from algo_brokers.refusal_texts import TextRules, has_any, kind_by_words

_K = RejectKind

ADDRESS_TEXTS: Final = ("no ips configured", "is not allowed to place orders for this app")
TIMEOUT_TEXTS: Final = ("timed out", "time out", "timeout", "check the order book")
RATE_TEXTS: Final = ("too many requests", "rate limit", "maximum allowed order requests")

_ORDER_TEXTS: Final[TextRules] = (
    # all words of the first part must occur
    (("modif", "maximum"), _K.TOO_MANY_CHANGES),
    (("modif", "exceed"), _K.TOO_MANY_CHANGES),
    (("margin exceeds",), _K.MARGIN),
    (("insufficient", "fund"), _K.MARGIN),
    (("insufficient", "margin"), _K.MARGIN),
    (("tick size",), _K.TICK_SIZE),
    (("16316",), _K.TICK_SIZE),
    (("circuit",), _K.BAND),
    (("price protection range",), _K.BAND),
    (("price band",), _K.BAND),
    (("price range",), _K.BAND),
    (("operating range",), _K.BAND),
    (("trigger", "last traded price"), _K.THROUGH),
    (("trigger", "last price"), _K.THROUGH),
    (("trigger", "market price"), _K.THROUGH),
    (("trigger", "ltp"), _K.THROUGH),
    (("trigger", "difference"), _K.GAP),
    (("trigger", "limit price"), _K.GAP),
    (("trigger price", "too far"), _K.GAP),
    (("markets are not open",), _K.CLOSED),
    (("market is closed",), _K.CLOSED),
    (("markets are closed",), _K.CLOSED),
    (("amo order",), _K.CLOSED),
    (("after market order",), _K.CLOSED),
    (("square off", "time"), _K.CLOSED),
    (("cannot be modified",), _K.NOT_MODIFIABLE),
    (("cannot be cancelled",), _K.NOT_MODIFIABLE),
    (("couldn't find that", "order"), _K.NOT_MODIFIABLE),
    (("order does not exist",), _K.NOT_MODIFIABLE),
    (("not in a state",), _K.NOT_MODIFIABLE),
    (("already", "complete"), _K.NOT_MODIFIABLE),
    (("already", "cancel"), _K.NOT_MODIFIABLE),
    (("already", "reject"), _K.NOT_MODIFIABLE),
    (("being processed",), _K.NOT_MODIFIABLE),
    (("freeze",), _K.QUANTITY),
    (("lot size",), _K.QUANTITY),
    (("quantity",), _K.QUANTITY),
    (("holding",), _K.QUANTITY),
    (("function not available",), _K.PRODUCT),
    (("mis", "block"), _K.PRODUCT),
    (("product",), _K.PRODUCT),
    (("price",), _K.PRICE),
)

_BY_TYPE: Final = {
    "TokenException": _K.SESSION,
    "PermissionException": _K.SESSION,
    "UserException": _K.SESSION,
    "TwoFAException": _K.SESSION,
    "MarginException": _K.MARGIN,
    "HoldingException": _K.QUANTITY,
}


def kind_of_text(message: str) -> RejectKind:
    """The kind of an order's refusal by its text, `ORDER_OTHER` if it says nothing we know."""
    return kind_by_words(message, _ORDER_TEXTS)


def refusal(status: int, error_type: str, message: str) -> RejectKind | None:
    """The certain refusal that an error answer to a write means, or None where the order may stand all the same.

    429, 403 and 404 to 410 are certain (answered before the order system), address texts too, under whatever error
    type. A 400 is certain unless it speaks of a time-out. All 5xx are not: staff advise to read the book first.
    """
    text = message.lower()
    if has_any(text, ADDRESS_TEXTS):
        return RejectKind.ADDRESS
    if status == 429:
        return RejectKind.RATE
    if error_type == "TokenException":
        return RejectKind.SESSION
    if not 400 <= status < 500 or has_any(text, TIMEOUT_TEXTS):
        return None
    if has_any(text, RATE_TEXTS):
        return RejectKind.RATE
    if error_type in _BY_TYPE:
        return _BY_TYPE[error_type]
    if error_type in ("NetworkException", "DataException", "GeneralException") and status == 400:
        # These name trouble between the API and the order system, not a rule that the order broke.
        kind = kind_of_text(message)
        return None if kind is RejectKind.ORDER_OTHER else kind
    return RejectKind.SESSION if status in (401, 403) else kind_of_text(message)
