"""The account's reads: a request and a parser each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from algo_crds.contracts.clock import session_date
from algo_crds.contracts.orders import PositionRow

from algo_brokers.angelone import envelope, limits, requests, responses
from algo_brokers.angelone.names import Names
from algo_brokers.calls import ReadCall
from algo_brokers.errors import RequestRefused
from algo_brokers.port import (
    ReadFunds,
    ReadHoldings,
    ReadMargin,
    ReadPositions,
    ReadTrades,
)
from algo_brokers.records import (
    Funds,
    HoldingRow,
    Margin,
    NewOrder,
    TradeRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReads:
    """What the account did and holds."""

    trades: ReadTrades
    positions: ReadPositions
    holdings: ReadHoldings
    funds: ReadFunds
    margin: ReadMargin


def create_account_reads(call: ReadCall, names: Names, now: Callable[[], int]) -> AccountReads:
    """Reads through `call`."""

    async def trades() -> tuple[TradeRow, ...]:
        day = session_date(now())
        return await call(
            requests.trades,
            lambda answer: responses.trade_rows(envelope.read_list(answer), day=day, name_of=names.name_of),
        )

    async def positions() -> tuple[PositionRow, ...]:
        return await call(
            requests.positions,
            lambda answer: responses.position_rows(envelope.read_list(answer), name_of=names.name_of),
        )

    async def holdings() -> tuple[HoldingRow, ...]:
        return await call(
            requests.holdings,
            lambda answer: responses.holding_rows(envelope.read_list(answer), name_of=names.name_of),
        )

    async def funds() -> Funds:
        return await call(requests.funds, lambda answer: responses.funds(envelope.read_data(answer)))

    async def margin(*, orders: tuple[NewOrder, ...]) -> Margin:
        if len(orders) > limits.MARGIN_ORDERS_PER_CALL:
            raise RequestRefused(f"the broker's calculator takes {limits.MARGIN_ORDERS_PER_CALL} orders; ask for fewer")
        known = tuple(order for order in map(names.known, orders) if order is not None)
        if len(known) < len(orders):
            raise RequestRefused("an instrument is not in Angel One's list of today; load the list first")
        return await call(
            partial(requests.margin, orders=known), lambda answer: responses.margin(envelope.read_data(answer))
        )

    return AccountReads(trades=trades, positions=positions, holdings=holdings, funds=funds, margin=margin)
