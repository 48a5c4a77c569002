"""One call to a broker, once: what both its answer and its silence mean, the same for every broker.

A write has an outcome and never raises for what broker or network do; a read raises from the tree in `errors.py`, so
that a failure can never look like an empty book. Texts leave without the session's secrets, whatever a broker echoes.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import msgspec
from algo_crds.contracts.constants import ENGINE
from algo_crds.contracts.orders import RejectKind

from algo_brokers.errors import BrokerError, BrokerUnavailable, SessionRefused
from algo_brokers.http import AnswerLostError, HttpAnswer, HttpRequest, NothingSentError, Transport
from algo_brokers.outcomes import Rejected, Unknown, WriteOutcome
from algo_brokers.records import InstrumentRef
from algo_brokers.session import Session, blot, hide, secrets_of

_T = TypeVar("_T")

TIMEOUT_S: Final = ENGINE.http_timeout_ms / 1000
LIST_TIMEOUT_S: Final = 60.0
"""For the day's instrument list."""
NO_SESSION: Final = "nobody has logged in to the broker account; log in first"


class WriteCall(Protocol):
    """Sends a write; certain refusals, or `Unknown` for whatever was not seen."""

    async def __call__(self, build: Callable[[Session], HttpRequest]) -> WriteOutcome: ...


class ReadCall(Protocol):
    """Sends a read and hands the whole answer to `parse`, which raises `BrokerError` for what is no good answer."""

    async def __call__(
        self,
        build: Callable[[Session], HttpRequest],
        parse: Callable[[HttpAnswer], _T],
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> _T: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCalls:
    """What `current` and `session_over` of an account are for."""

    current: Callable[[], Session | None]
    session_over: Callable[[], None]


def create_write_call(
    send: Transport, session: SessionCalls, outcome_of: Callable[[HttpAnswer], WriteOutcome]
) -> WriteCall:
    """Writes through `send`; `outcome_of` reads the broker's answer."""

    async def call(build: Callable[[Session], HttpRequest]) -> WriteOutcome:
        held = session.current()
        if held is None:
            return Rejected(kind=RejectKind.SESSION, message=NO_SESSION)
        request = build(held)
        try:
            outcome = outcome_of(await send(request, timeout_s=TIMEOUT_S))
        except NothingSentError as error:
            return Rejected(kind=RejectKind.BROKER_DOWN, message=hide(str(error), held))
        except AnswerLostError as error:
            return Unknown(reason=hide(str(error), held))
        if isinstance(outcome, Rejected):
            if outcome.session_over:
                session.session_over()
            return msgspec.structs.replace(outcome, message=hide(outcome.message, held))
        return outcome if not isinstance(outcome, Unknown) else Unknown(reason=hide(outcome.reason, held))

    return call


def create_read_call(send: Transport, session: SessionCalls) -> ReadCall:
    """Reads through `send`; `parse` raising `SessionRefused` ends the session."""

    async def call(
        build: Callable[[Session], HttpRequest], parse: Callable[[HttpAnswer], _T], *, timeout_s: float = TIMEOUT_S
    ) -> _T:
        held = session.current()
        if held is None:
            raise SessionRefused(NO_SESSION)
        with without(*secrets_of(held)):
            answer = await answered(send, build(held), timeout_s)
            try:
                return parse(answer)
            except SessionRefused:
                session.session_over()
                raise

    return call


async def answered(send: Transport, request: HttpRequest, timeout_s: float = TIMEOUT_S) -> HttpAnswer:
    """The answer to a read or a login.

    Raises:
        BrokerUnavailable: there was none.
    """
    try:
        return await send(request, timeout_s=timeout_s)
    except (NothingSentError, AnswerLostError) as error:
        raise BrokerUnavailable(str(error)) from None


@contextlib.contextmanager
def without(*secrets: str) -> Iterator[None]:
    """Errors leave without these texts, whatever a broker echoes."""
    try:
        yield
    except BrokerError as error:
        raise type(error)(blot(str(error), secrets)) from None


def in_parts(instruments: tuple[InstrumentRef, ...], size: int) -> list[tuple[InstrumentRef, ...]]:
    """The instruments, no more than `size` a call."""
    return [instruments[at : at + size] for at in range(0, len(instruments), size)]
