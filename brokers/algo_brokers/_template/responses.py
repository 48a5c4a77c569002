"""Parsers of every answer, pure. A row that cannot be read fails the whole read, because half a book is a wrong one.

Each raises `BadAnswer` for what is no good answer, `SessionRefused` where the session is dead, `RequestRefused` where
the broker says no.
"""

from algo_crds.contracts.orders import OrderRow, PositionRow

from algo_brokers.http import HttpAnswer
from algo_brokers.outcomes import WriteOutcome
from algo_brokers.records import Funds, HoldingRow, Margin, TradeRow


def write_outcome(answer: HttpAnswer) -> WriteOutcome:
    """Accepted, a certain refusal, or `Unknown`: what is not certain was not seen. Raises nothing."""
    raise NotImplementedError


def order_rows(answer: HttpAnswer, *, read_at: int) -> tuple[OrderRow, ...]:
    """The book, or one order's states. A status nobody documented is `order_states.unknown_status`."""
    raise NotImplementedError


def trade_rows(answer: HttpAnswer) -> tuple[TradeRow, ...]:
    """The day's fills."""
    raise NotImplementedError


def position_rows(answer: HttpAnswer) -> tuple[PositionRow, ...]:
    """The account's positions."""
    raise NotImplementedError


def holding_rows(answer: HttpAnswer) -> tuple[HoldingRow, ...]:
    """Shares in the demat account."""
    raise NotImplementedError


def funds(answer: HttpAnswer) -> Funds:
    """What may be traded with."""
    raise NotImplementedError


def margin(answer: HttpAnswer) -> Margin:
    """What a basket would take."""
    raise NotImplementedError
