"""The reads of the account that are a request and a parser, no more."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from algo_crds.contracts.orders import PositionRow

from algo_brokers.calls import ReadCall
from algo_brokers.fyers import requests, responses
from algo_brokers.fyers.envelope import read_body
from algo_brokers.http import HttpAnswer
from algo_brokers.port import ReadFunds, ReadHoldings, ReadMargin, ReadPositions, ReadTrades
from algo_brokers.records import Funds, HoldingRow, Margin, NewOrder, TradeRow

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReads:
    """Everything of the account but the order book."""

    trades: ReadTrades
    positions: ReadPositions
    holdings: ReadHoldings
    funds: ReadFunds
    margin: ReadMargin


def create_account_reads(call: ReadCall) -> AccountReads:
    """The reads of one account."""

    async def trades() -> tuple[TradeRow, ...]:
        return await call(requests.trades, of_body(responses.trade_rows))

    async def positions() -> tuple[PositionRow, ...]:
        return await call(requests.positions, of_body(responses.position_rows))

    async def holdings() -> tuple[HoldingRow, ...]:
        return await call(requests.holdings, of_body(responses.holding_rows))

    async def funds() -> Funds:
        return await call(requests.funds, of_body(responses.funds))

    async def margin(*, orders: tuple[NewOrder, ...]) -> Margin:
        return await call(partial(requests.margin, orders=orders), of_body(responses.margin))

    return AccountReads(trades=trades, positions=positions, holdings=holdings, funds=funds, margin=margin)


def of_body(parse: Callable[[bytes], _T]) -> Callable[[HttpAnswer], _T]:
    """A parser of the body of a good answer."""
    return lambda answer: parse(read_body(answer))
