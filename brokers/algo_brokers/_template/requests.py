"""Builders of every request, pure."""

from algo_brokers.http import HttpRequest
from algo_brokers.records import Change, InstrumentRef, Interval, NewOrder
from algo_brokers.session import Session


def headers(session: Session) -> tuple[tuple[str, str], ...]:
    """The headers of every call."""
    raise NotImplementedError


def place(session: Session, order: NewOrder) -> HttpRequest:
    """A new order.

    Raises:
        ValueError: the tag does not fit the broker (a fault of the caller, found before anything is sent).
    """
    raise NotImplementedError


def modify(session: Session, change: Change) -> HttpRequest:
    """Absolute values for a live order; a stop becomes an exit by its type, where the broker lets it."""
    raise NotImplementedError


def cancel(session: Session, broker_order_id: str) -> HttpRequest:
    """Cancel a live order."""
    raise NotImplementedError


def book(session: Session) -> HttpRequest:
    """The day's orders."""
    raise NotImplementedError


def one_order(session: Session, broker_order_id: str) -> HttpRequest:
    """One order's states."""
    raise NotImplementedError


def trades(session: Session) -> HttpRequest:
    """The day's fills."""
    raise NotImplementedError


def positions(session: Session) -> HttpRequest:
    """The account's positions."""
    raise NotImplementedError


def holdings(session: Session) -> HttpRequest:
    """Shares in the demat account."""
    raise NotImplementedError


def funds(session: Session) -> HttpRequest:
    """What may be traded with."""
    raise NotImplementedError


def margin(session: Session, orders: tuple[NewOrder, ...]) -> HttpRequest:
    """What a basket would take."""
    raise NotImplementedError


def quotes(session: Session, instruments: tuple[InstrumentRef, ...]) -> HttpRequest:
    """Prices with depth, of no more instruments than one call may name."""
    raise NotImplementedError


def ltp(session: Session, instruments: tuple[InstrumentRef, ...]) -> HttpRequest:
    """Last prices, of no more instruments than one call may name."""
    raise NotImplementedError


def candles(session: Session, instrument: InstrumentRef, start: int, end: int, interval: Interval) -> HttpRequest:
    """Bars that open between two instants in ms, both included."""
    raise NotImplementedError


def instruments(exchange: str) -> HttpRequest:
    """The day's list of one exchange, from the host for files."""
    raise NotImplementedError
