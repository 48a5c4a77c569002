"""The order socket: its login text, and order frames turned into the order of REST. Pure.

Docs print the keys in PascalCase, the server sends camelCase, and frames with both were seen, so keys are compared
without the case of their first letter. Source: DhanHQ v2 docs, live order update; field reports.
"""

from typing import Final

import msgspec
from algo_crds.contracts.orders import OrderRow

from algo_brokers.dhan.answers import decode
from algo_brokers.dhan.names import SEGMENT_OF, Words
from algo_brokers.dhan.responses import Order, row_of
from algo_brokers.errors import BadAnswer
from algo_brokers.session import Session

_ALERT: Final = "order_alert"
_NOTHING: Final = frozenset({b"null", b'""', b"0", b'"CONFIRMED"'})
"""Values that say nothing; the last is the reason of an order that nobody refused."""
_REST: Final = {
    "orderNo": "orderId",
    "exchOrderNo": "exchangeOrderId",
    "correlationId": "correlationId",
    "status": "orderStatus",
    "txnType": "transactionType",
    "product": "productType",
    "orderType": "orderType",
    "symbol": "tradingSymbol",
    "securityId": "securityId",
    "quantity": "quantity",
    "price": "price",
    "triggerPrice": "triggerPrice",
    "tradedQty": "filledQty",
    "avgTradedPrice": "averageTradedPrice",
    "orderDateTime": "createTime",
    "reasonDescription": "omsErrorDescription",
}
"""The socket's key and REST's."""


class _Frame(msgspec.Struct, frozen=True, rename="pascal"):
    type: str
    data: dict[str, msgspec.Raw] = {}


def login(session: Session) -> bytes:
    """The first text on the socket. Holds secrets: never log it. Nothing answers it; a dead token ends the
    connection."""
    request = {"MsgCode": 42, "ClientId": session.client_id, "Token": session.access_token}
    return msgspec.json.encode({"LoginReq": request, "UserType": "SELF"})


def read(body: bytes, words: Words, *, read_at: int) -> OrderRow | None:
    """The row of an order frame; None for another frame, or for a kind of order that is never ours.

    Raises:
        BadAnswer: the frame cannot be read.
    """
    frame = decode(body, _Frame, "order update")
    if frame.type != _ALERT:
        return None
    told = _first_letters(frame.data)
    rest = {name: told[key] for key, name in _REST.items() if key in told}
    if bytes(rest.get("omsErrorDescription", b"null")) in _NOTHING:
        rest.pop("omsErrorDescription", None)
    rest["exchangeSegment"] = msgspec.Raw(msgspec.json.encode(_segment(told)))
    return row_of(decode(msgspec.json.encode(rest), Order, "order update"), words, read_at=read_at)


def _first_letters(data: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """Keys with a small first letter; of a key that came twice the filled value stays."""
    told: dict[str, msgspec.Raw] = {}
    for key, value in data.items():
        name = key[:1].lower() + key[1:]
        if name not in told or bytes(told[name]) in _NOTHING:
            told[name] = value
    return told


def _segment(told: dict[str, msgspec.Raw]) -> str:
    where = tuple(decode(bytes(told.get(key, b'""')), str, "order update") for key in ("exchange", "segment"))
    segment = SEGMENT_OF.get((where[0], where[1]))
    if segment is None:
        raise BadAnswer(f"order update of exchange {where[0]!r}, segment {where[1]!r}")
    return segment
