"""What a refusal means: Angel One's codes, and texts where the code says nothing, mapped to our kinds.

Sources: SmartAPI documentation (exceptions, orders, GTT), the official Java client, forum answers. `AB1007` is
the back office's word for everything, so its text decides. Texts are matched in lower case and in order, the more
certain ones first.
"""

from typing import Final

from algo_crds.contracts.orders import RejectKind

from algo_brokers.refusal_texts import TextRules, has_any, kind_by_words

_K = RejectKind

RATE_TEXTS: Final = ("exceeding access rate", "too many requests")
ADDRESS_TEXT: Final = "unregistered ip address"
AMBIGUOUS_TEXTS: Final = (
    "timed out",
    "time out",
    "timeout",
    "try after some time",
    "try again",
    "something went wrong",
)
"""They name trouble between the API and the order system, not a rule that the order broke."""

CERTAIN: Final[dict[str, RejectKind]] = {
    "AG7002": _K.ADDRESS,
    "AG8001": _K.SESSION,
    "AG8002": _K.SESSION,
    "AG8003": _K.SESSION,
    "AG8004": _K.SESSION,
    "AB8050": _K.SESSION,
    "AB8051": _K.SESSION,
    "AB1000": _K.SESSION,
    "AB1001": _K.SESSION,
    "AB1002": _K.SESSION,
    "AB1003": _K.SESSION,
    "AB1005": _K.SESSION,
    "AB1006": _K.SESSION,
    "AB1008": _K.ORDER_OTHER,
    "AB1009": _K.ORDER_OTHER,
    "AB1010": _K.SESSION,
    "AB1011": _K.SESSION,
    "AB1012": _K.PRODUCT,
    "AB1013": _K.NOT_MODIFIABLE,
    "AB1014": _K.ORDER_OTHER,
    "AB1015": _K.QUANTITY,
    "AB1016": _K.QUANTITY,
    "AB1017": _K.ORDER_OTHER,
    "AB1018": _K.ORDER_OTHER,
    "AB1021": _K.RATE,
    "AB1031": _K.SESSION,
    "AB1032": _K.SESSION,
    "AB1050": _K.SESSION,
    "AB2002": _K.PRODUCT,
    "AB4008": _K.ORDER_OTHER,
    "AB4018": _K.ORDER_OTHER,
    "AB9001": _K.ORDER_OTHER,
    "AB9002": _K.ORDER_OTHER,
    "AB9003": _K.SESSION,
    "AB9004": _K.ORDER_OTHER,
    "AB9005": _K.SESSION,
    "AB9006": _K.QUANTITY,
    "AB9007": _K.QUANTITY,
    "AB9008": _K.PRICE,
    "AB9009": _K.PRICE,
    "AB9010": _K.PRODUCT,
    "AB9011": _K.ORDER_OTHER,
    "AB9012": _K.ORDER_OTHER,
    "AB9013": _K.NOT_MODIFIABLE,
    "AB9014": _K.ORDER_OTHER,
    "AB9015": _K.PRODUCT,
    "AB9016": _K.ORDER_OTHER,
    "AB9017": _K.ORDER_OTHER,
    "AB9018": _K.ORDER_OTHER,
}
"""Codes that refuse for certain: nothing was done."""

UNCERTAIN: Final = frozenset({"AB1004", "AB2000", "AB2001", "AB9000"})
"""The back office failed at it: an order may stand all the same."""
GENERIC: Final = "AB1007"

NOT_FOUND: Final = frozenset({"AB1013", "AB1014", "AB1015", "AB1016"})
"""Order, trade, holding, position not found: for a book, an empty one."""
NO_SYMBOL: Final = frozenset({"AB1009", "AB1018"})
"""For a price, an instrument that is missing."""
SESSION_DEAD: Final = frozenset({"AG8001", "AG8002", "AB8050", "AB8051", "AB1010", "AB1011", "AB9005"})
"""A read that ends so says that only a login helps."""
SUSPECT: Final = "AG8001"
"""Seen at random on good tokens: a read is asked again once, and on a write it does not end the session."""

_TEXTS: Final[TextRules] = (
    # all words of the first part must occur
    (("permissible range",), _K.GAP),
    (("trigger price", "limit price", "difference"), _K.GAP),
    (("limit price protection",), _K.BAND),
    (("circuit",), _K.BAND),
    (("price band",), _K.BAND),
    (("operating range",), _K.BAND),
    (("price range",), _K.BAND),
    (("tick size",), _K.TICK_SIZE),
    (("multiple", "price"), _K.TICK_SIZE),
    (("trigger", "last traded price"), _K.THROUGH),
    (("trigger", "market price"), _K.THROUGH),
    (("trigger", "ltp"), _K.THROUGH),
    (("insufficient", "fund"), _K.MARGIN),
    (("insufficient", "margin"), _K.MARGIN),
    (("margin", "shortfall"), _K.MARGIN),
    (("margin", "exceed"), _K.MARGIN),
    (("cancel order response", "bad input"), _K.NOT_MODIFIABLE),
    (("modif", "maximum"), _K.TOO_MANY_CHANGES),
    (("modif", "exceed"), _K.TOO_MANY_CHANGES),
    (("cannot be modified",), _K.NOT_MODIFIABLE),
    (("cannot be cancelled",), _K.NOT_MODIFIABLE),
    (("order", "not found"), _K.NOT_MODIFIABLE),
    (("already", "complete"), _K.NOT_MODIFIABLE),
    (("already", "cancel"), _K.NOT_MODIFIABLE),
    (("already", "reject"), _K.NOT_MODIFIABLE),
    (("market", "closed"), _K.CLOSED),
    (("market", "not open"), _K.CLOSED),
    (("after market",), _K.CLOSED),
    (("square off", "time"), _K.CLOSED),
    (("freeze",), _K.QUANTITY),
    (("lot size",), _K.QUANTITY),
    (("holding",), _K.QUANTITY),
    (("quantity",), _K.QUANTITY),
    (("intraday", "block"), _K.PRODUCT),
    (("intraday", "not allowed"), _K.PRODUCT),
    (("product",), _K.PRODUCT),
    (("price",), _K.PRICE),
)


def kind_of_text(message: str) -> RejectKind:
    """The kind of a refusal by its text (also the `text` of a rejected row), `ORDER_OTHER` if it says nothing known."""
    return kind_by_words(message, _TEXTS)


def refusal(code: str, message: str) -> RejectKind | None:
    """The certain refusal that an application error means, or None where the order may stand all the same.

    A code that nobody documented is never certain.
    """
    text = message.lower()
    if ADDRESS_TEXT in text:
        return RejectKind.ADDRESS
    if code in CERTAIN:
        return CERTAIN[code]
    if code in UNCERTAIN or has_any(text, AMBIGUOUS_TEXTS):
        return None
    if has_any(text, RATE_TEXTS):
        return RejectKind.RATE
    return kind_of_text(message) if code == GENERIC else None
