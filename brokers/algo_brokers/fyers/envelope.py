"""The envelope of every answer: `{"s": "ok" | "error" | "no_data", "code", "message", ...}`, and what it means.

`s` and `code` decide, never the HTTP status alone: a refusal may come with 200. Source: docs v3, response structure.
"""

from decimal import Decimal
from typing import Final

import msgspec
from algo_crds.contracts.orders import RejectKind

from algo_brokers.errors import (
    AddressRefused,
    BadAnswer,
    BrokerError,
    BrokerUnavailable,
    RequestRefused,
    SessionRefused,
    TooManyRequests,
)
from algo_brokers.fyers import rejections
from algo_brokers.http import HttpAnswer
from algo_brokers.outcomes import Accepted, Rejected, Unknown, WriteOutcome

DONE: Final = frozenset({1101, 1102, 1103})
"""Placed, modified, cancelled; a modification is answered with either of the first two."""


class _Envelope(msgspec.Struct, frozen=True):
    s: str = ""
    code: Decimal | None = None
    message: str | None = None
    id: str | None = None

    def number(self) -> int | None:
        """The code as a whole number, if it is one."""
        code = self.code
        return int(code) if code is not None and code.is_finite() and abs(code) < 10**6 else None

    def text(self, status: int) -> str:
        """What to tell the trader."""
        words = self.message or f"HTTP {status} without a message"
        number = self.number()
        return words if number is None else f"{words} ({number})"


def _open(answer: HttpAnswer) -> _Envelope:
    """The envelope; an empty one where the body is no JSON of that form."""
    try:
        return msgspec.json.decode(answer.body, type=_Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Envelope()


def write_outcome(answer: HttpAnswer) -> WriteOutcome:
    """What an answer to place, modify or cancel means, of orders and of lasting triggers."""
    envelope = _open(answer)
    code, text = envelope.number(), envelope.text(answer.status)
    if code == rejections.NO_ACKNOWLEDGEMENT:
        return Unknown(reason=f"sent, and not acknowledged yet: {text}")
    if envelope.s == "ok":
        if answer.status < 300 and code in DONE and envelope.id:
            return Accepted(broker_order_id=envelope.id)
        return Unknown(reason=f"HTTP {answer.status} success without an order id: {text}")
    kind = rejections.refusal(answer.status, code, envelope.message or "")
    if kind is None:
        return Unknown(reason=text)
    return Rejected(kind=kind, message=text, session_over=code in rejections.SESSION_DEAD)


def read_body(answer: HttpAnswer, *, empty_is_good: bool = False) -> bytes:
    """The body of a good answer; `empty_is_good`: `no_data` is one.

    Raises:
        BrokerError: the subclass that says what to do.
    """
    envelope = _open(answer)
    if answer.status < 300 and (envelope.s == "ok" or (empty_is_good and envelope.s == "no_data")):
        return answer.body
    raise _read_error(answer, envelope)


def _read_error(answer: HttpAnswer, envelope: _Envelope) -> BrokerError:
    code, text = envelope.number(), envelope.text(answer.status)
    if code in rejections.SESSION_DEAD or (code is None and answer.status == 401):
        return SessionRefused(text)
    kind = rejections.refusal(answer.status, code, envelope.message or "")
    if kind is RejectKind.RATE:
        return TooManyRequests(text)
    if kind is RejectKind.ADDRESS:
        return AddressRefused(text)
    if answer.status >= 500 or code in rejections.UNCERTAIN:
        return BrokerUnavailable(text)
    if not envelope.s:
        return BadAnswer(f"the broker's answer has not the documented form: {text}")
    return RequestRefused(text)
