"""Dhan's answers before anything is read from them: success or which error, and the forms of numbers and times.

There is no envelope: a good answer is the record or the list itself. Errors come in five shapes (docs and recordings):
the documented one, the data family's, Spring's for an unknown path, the old backend's, and plain HTML of the gateway.
Numbers come as JSON numbers, often as floats for counts too, or as texts.
"""

from datetime import datetime
from typing import Final, NamedTuple, TypeVar

import msgspec
from algo_crds.contracts.clock import IST
from algo_crds.contracts.money import price_from_float
from algo_crds.contracts.orders import RejectKind

from algo_brokers.dhan import rejections
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
_MAX_RUPEES: Final = 1e12
"""No price and no account is larger; what is, was read wrongly."""
_FORMS: Final = (
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S",
    "%d/%m/%Y %H:%M",
)
_FIRST_YEAR: Final = 1990
"""`0001-01-01` and `01/01/1980` stand for no time at all."""
_DECODE_ERRORS: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class DhanError(NamedTuple):
    """What an error answer says; `code` is empty where the body has none."""

    code: str
    message: str


class _Documented(msgspec.Struct, frozen=True, rename="camel"):
    error_code: str | int | None = None
    error_message: str | None = None
    internal_error_code: str | None = None
    internal_error_message: str | None = None


class _DataFamily(msgspec.Struct, frozen=True):
    status: str
    data: dict[str, str]


class _Spring(msgspec.Struct, frozen=True):
    status: int
    error: str


class _OrderId(msgspec.Struct, frozen=True, rename="camel"):
    order_id: str


def decode(body: bytes, kind: type[_T], what: str) -> _T:
    """The body as a record; numbers in texts are taken as numbers.

    Raises:
        BadAnswer: it has another form.
    """
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except _DECODE_ERRORS as error:
        raise BadAnswer(f"the broker's {what} cannot be read: {error}") from None


def error_of(answer: HttpAnswer) -> DhanError:
    """Code and text of an error in any of the shapes, with our own words where the broker has none."""
    try:
        told = msgspec.json.decode(answer.body, type=_Documented)
    except _DECODE_ERRORS:
        told = _Documented()
    if told.error_code is not None and told.error_code != "NONE":
        code = str(told.error_code)
        return DhanError(code, told.error_message or rejections.MEANING.get(code, code))
    if told.internal_error_code:
        # The old backend, behind paths without /v2: nothing it says has a documented meaning.
        return DhanError(told.internal_error_code, told.internal_error_message or told.internal_error_code)
    try:
        family = msgspec.json.decode(answer.body, type=_DataFamily)
        if family.status == "failed" and family.data:
            code, message = next(iter(family.data.items()))
            return DhanError(code, rejections.MEANING.get(code, message))
    except _DECODE_ERRORS:
        pass
    try:
        return DhanError("", f"HTTP {msgspec.json.decode(answer.body, type=_Spring).error}")
    except _DECODE_ERRORS:
        return DhanError("", f"HTTP {answer.status}")


def write_outcome(answer: HttpAnswer) -> WriteOutcome:
    """What an answer to place, modify or cancel means.

    Any 2xx with an order id is the broker's HTTP success, whatever state it names beside it: the state is in the book.
    """
    if 200 <= answer.status < 300:
        try:
            return Accepted(broker_order_id=msgspec.json.decode(answer.body, type=_OrderId, strict=False).order_id)
        except _DECODE_ERRORS:
            pass
    error = error_of(answer)
    kind = rejections.refusal(answer.status, error.code, error.message)
    text = f"{error.message} ({error.code})" if error.code else error.message
    if kind is None:
        return Unknown(reason=text)
    return Rejected(
        kind=kind, message=text, session_over=rejections.session_over(answer.status, error.code, error.message)
    )


def good(answer: HttpAnswer) -> bytes:
    """The body of a successful read.

    Raises:
        BrokerError: the subclass that says what to do.
    """
    if 200 <= answer.status < 300 and not error_of(answer).code:
        return answer.body
    raise read_error(answer)


def read_error(answer: HttpAnswer) -> BrokerError:
    """The error that a failed read means."""
    error = error_of(answer)
    text = f"{error.message} ({error.code})" if error.code else error.message
    if error.code in rejections.DOWN:
        return BrokerUnavailable(text)
    kind = rejections.refusal(answer.status, error.code, error.message)
    if kind is RejectKind.RATE:
        return TooManyRequests(text)
    if rejections.session_over(answer.status, error.code, error.message):
        return SessionRefused(f"{text}; log in again (a login elsewhere ends this session)")
    if kind is RejectKind.ADDRESS:
        return AddressRefused(text)
    if answer.status >= 500:
        return BrokerUnavailable(text)
    return RequestRefused(text)


def price(value: float | None) -> int:
    """Rupees as 1/10 000; nothing is 0.

    Raises:
        BadAnswer: no price has that size.
    """
    if value is not None and not abs(value) < _MAX_RUPEES:
        raise BadAnswer(f"{value!r} is not a price")
    return price_from_float(value or 0)


def word(text: str | None) -> str | None:
    """A text, None for the placeholders of nothing (`NA`, `0`, empty)."""
    return None if text in (None, "", "NA", "0") else text


def instant_of(text: str | None) -> int:
    """A time in India in any of Dhan's forms as an instant (ms); 0 where there is none or it has another form."""
    for form in _FORMS if text else ():
        try:
            at = datetime.strptime(text or "", form).replace(tzinfo=IST)
        except ValueError:
            continue
        return int(at.timestamp() * 1000) if at.year >= _FIRST_YEAR else 0
    return 0
