"""The shapes in which Angel One answers, and what each means for a write and for a read.

1. application error, usually HTTP 200: `{"status": false, "message", "errorcode", "data"}`
2. gateway or login error, HTTP 200, 401 or 403: `{"success": false, "message", "errorCode", "data"}`
3. rate limit: HTTP 403 with plain text
4. firewall: an HTML page, or HTTP 400 with nothing

So a 403 is the rate limit as text, and the session or the address as JSON.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
from algo_crds.contracts.orders import RejectKind

from algo_brokers.angelone import rejections
from algo_brokers.errors import (
    AddressRefused,
    BadAnswer,
    BrokerError,
    BrokerUnavailable,
    RequestRefused,
    SessionRefused,
    TooManyRequests,
)
from algo_brokers.http import HttpAnswer
from algo_brokers.outcomes import Accepted, Rejected, Unknown, WriteOutcome

_T = TypeVar("_T")

_SHOWN: Final = 120
"""Of a text that is no JSON."""
NOTHING: Final = msgspec.Raw(b"null")


class _Envelope(msgspec.Struct, frozen=True):
    status: bool | None = None
    success: bool | None = None
    message: str | None = None
    errorcode: str | None = None
    error_code: str | None = msgspec.field(default=None, name="errorCode")
    data: msgspec.Raw = NOTHING


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal in the broker's words. `code` is empty where the answer was no JSON; `rate`: it is the rate limit's."""

    status: int
    code: str = ""
    message: str = ""
    rate: bool = False


class _OrderId(msgspec.Struct, frozen=True):
    orderid: str
    uniqueorderid: str | None = None


class _RuleId(msgspec.Struct, frozen=True):
    id: str | int


def decode(data: bytes, kind: type[_T], what: str) -> _T:
    """Part of an answer in its documented form.

    Raises:
        BadAnswer: it has another.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"the broker's {what} cannot be read: {error}") from None


def open_envelope(answer: HttpAnswer) -> msgspec.Raw | Failure:
    """The `data` of a success, or what was refused."""
    try:
        envelope = msgspec.json.decode(answer.body, type=_Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _unreadable(answer)
    succeeded = envelope.status if envelope.status is not None else envelope.success
    if answer.status == 200 and succeeded:
        return envelope.data
    return Failure(
        status=answer.status,
        code=(envelope.errorcode or envelope.error_code or "").strip().upper(),
        message=envelope.message or f"HTTP {answer.status} without a message",
        rate=answer.status == 429,
    )


def _unreadable(answer: HttpAnswer) -> Failure:
    text = " ".join(answer.body.decode("utf-8", "replace").split())
    page = "html" in answer.content_type or text.startswith("<")
    rate = answer.status == 429 or (answer.status == 403 and bool(text) and not page)
    if page or not text:
        what = "a page of the broker's firewall" if page else "an empty answer"
        return Failure(status=answer.status, message=f"HTTP {answer.status} with {what}", rate=rate)
    return Failure(status=answer.status, message=f"HTTP {answer.status}: {text[:_SHOWN]}", rate=rate)


def refused(failure: Failure) -> Rejected | Unknown:
    """What a failed write means: a certain refusal only where the application itself said so."""
    if failure.rate:
        return Rejected(kind=RejectKind.RATE, message=failure.message)
    if failure.status >= 500 or not failure.code:
        return Unknown(reason=failure.message)
    kind = rejections.refusal(failure.code, failure.message)
    if kind is None:
        return Unknown(reason=f"{failure.code} {failure.message}")
    # A gateway that refuses good tokens at random must not end a session: the next read, which asks twice, decides.
    over = failure.code in rejections.SESSION_DEAD and failure.code != rejections.SUSPECT
    return Rejected(kind=kind, message=f"{failure.message} ({failure.code})", session_over=over)


def place_outcome(
    answer: HttpAnswer, on_ids: Callable[[str, str], None] = lambda _order, _unique: None
) -> WriteOutcome:
    """What an answer to a new order means. `on_ids` hears the order's two ids.

    The rate limit's plain text counts as not seen: the book is read before the order is sent again.
    """
    return _order_outcome(answer, on_ids, rate_is_certain=False)


def change_outcome(answer: HttpAnswer) -> WriteOutcome:
    """What an answer to a change or a cancel means: it may be sent again, so the rate limit is a plain refusal."""
    return _order_outcome(answer, lambda _order, _unique: None, rate_is_certain=True)


def _order_outcome(answer: HttpAnswer, on_ids: Callable[[str, str], None], *, rate_is_certain: bool) -> WriteOutcome:
    opened = open_envelope(answer)
    if isinstance(opened, Failure):
        if opened.rate and not rate_is_certain and opened.status == 403:
            return Unknown(reason=opened.message)
        return refused(opened)
    try:
        ids = decode(opened, _OrderId, "order id")
    except BadAnswer:
        return Unknown(reason="success without an order id")
    if not ids.orderid:
        return Unknown(reason="success with an empty order id")
    on_ids(ids.orderid, ids.uniqueorderid or ids.orderid)
    return Accepted(broker_order_id=ids.orderid)


def rule_outcome(answer: HttpAnswer) -> WriteOutcome:
    """What an answer to a write of a lasting trigger order means."""
    opened = open_envelope(answer)
    if isinstance(opened, Failure):
        return refused(opened)
    try:
        return Accepted(broker_order_id=str(decode(opened, _RuleId, "rule id").id))
    except BadAnswer:
        return Unknown(reason="success without a rule id")


def read_data(answer: HttpAnswer) -> bytes:
    """The `data` of a successful read.

    Raises:
        BrokerError: the subclass that says what to do.
    """
    opened = open_envelope(answer)
    if isinstance(opened, Failure):
        raise read_error(opened)
    return bytes(opened)


def read_list(answer: HttpAnswer) -> bytes:
    """The `data` of a book: an empty one is `null`, or a "not found" of some endpoints. Raises `BrokerError`."""
    opened = open_envelope(answer)
    if isinstance(opened, Failure):
        if opened.status == 200 and opened.code in rejections.NOT_FOUND:
            return b"[]"
        raise read_error(opened)
    return b"[]" if bytes(opened) in (b"null", b'""') else bytes(opened)


def read_error(failure: Failure) -> BrokerError:
    """The error that a failed read or login means."""
    text = f"{failure.message} ({failure.code})" if failure.code else failure.message
    if failure.code in rejections.SESSION_DEAD:
        return SessionRefused(text)
    if not failure.code or failure.status >= 500:
        return TooManyRequests(text) if failure.rate else BrokerUnavailable(text)
    kind = rejections.refusal(failure.code, failure.message)
    if kind is RejectKind.RATE or failure.rate:
        return TooManyRequests(text)
    if kind is RejectKind.ADDRESS:
        return AddressRefused(text)
    return BrokerUnavailable(text) if failure.code in rejections.UNCERTAIN else RequestRefused(text)
