"""A paper account's exchange as a broker: what it knows is kept in Redis before anybody hears of it, as a broker would
keep it, and rows that a call causes come out before the call's answer, at the same session instant.

What the market causes (a tick, the end of the session) is handed on with the beat that covers it.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from algo_brokers.outcomes import WriteOutcome
from algo_brokers.paper.adapter import create_paper_broker
from algo_brokers.paper.exchange import PaperExchange
from algo_brokers.port import Broker
from algo_brokers.records import Change, NewOrder, OrderRef
from algo_crds.contracts.orders import OrderRow

log: Final = logging.getLogger("algo_gateway.paper")


class PaperAccount:
    """The exchange of one paper account.

    Args:
        now: session time.
        keep: writes a snapshot where a later process finds it; must not raise.
        market_row: takes a row that the market caused.
        call_row: takes a row that a call of the account caused.
    """

    def __init__(
        self,
        *,
        now: Callable[[], int],
        orders_per_window: int,
        keep: Callable[[bytes], Awaitable[None]],
        market_row: Callable[[OrderRow], None],
        call_row: Callable[[OrderRow], None],
    ) -> None:
        self._now = now
        self._keep = keep
        self._market_row = market_row
        self._call_row = call_row
        self._caused: list[OrderRow] | None = None
        self._changed = False
        self.exchange = PaperExchange(on_row=self._row, previous_close=lambda _exchange, _symbol: 0)
        self.broker = self._with_calls(create_paper_broker(self.exchange, now=now, orders_per_window=orders_per_window))

    @property
    def changed(self) -> bool:
        """Whether the market changed something that is not kept yet."""
        return self._changed

    async def save(self) -> None:
        """Keep the account as it is now."""
        self._changed = False
        await self._keep(self.exchange.snapshot())

    def _with_calls(self, broker: Broker) -> Broker:
        exchange, now = self.exchange, self._now

        async def place(*, order: NewOrder) -> WriteOutcome:
            return await self._call(lambda: exchange.place(order, now()))

        async def modify(*, change: Change) -> WriteOutcome:
            return await self._call(lambda: exchange.modify(change, now()))

        async def cancel(*, order: OrderRef) -> WriteOutcome:
            return await self._call(lambda: exchange.cancel(order.broker_order_id, now()))

        return dataclasses.replace(broker, place=place, modify=modify, cancel=cancel)

    async def _call(self, act: Callable[[], WriteOutcome]) -> WriteOutcome:
        caused: list[OrderRow] = []
        self._caused = caused
        try:
            outcome = act()
        finally:
            self._caused = None
        await asyncio.sleep(0)  # a call begins outside a task (`eager.py`), and what saves needs one for its time-out
        await self.save()
        for row in caused:
            self._call_row(row)
        return outcome

    def _row(self, row: OrderRow) -> None:
        if self._caused is not None:
            self._caused.append(row)
        else:
            self._changed = True
            self._market_row(row)
