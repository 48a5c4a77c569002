"""What accounts do at the simulated exchange: orders in, stages and trades out, through the pure matching engine.

Every change of an order becomes a snapshot in its history and reaches the account's listeners (the broker's sockets).
"""

from collections.abc import Callable

from algo_crds.contracts.orders import FINAL, OrderStatus, OrderType, Product, RejectKind, Side
from algo_market import matching
from algo_market.matching import Outcome, SimOrder
from algo_market.order_rules import Refused

from algo_simulator.accounts import Account
from algo_simulator.funds import funds_of, margin_short
from algo_simulator.holdings import sell_refusal
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, AccountTrade, Stage, positions_of, record
from algo_simulator.refusals import by_fault

SQUARE_OFF_DESK = "ADMINSQF"
"""Who places the broker's own square-off orders."""
ID_DIGITS = {"fyers": 8}
"""How many digits follow the day in an order id, where it is not nine."""


class Exchange:
    """The orders of a world's accounts. `now` is always handed in by the world's clock."""

    def __init__(self, markets: dict[str, Market], accounts: dict[str, Account]) -> None:
        self._markets = markets
        self._accounts = accounts
        self._numbers = 0
        self._owners: dict[str, AccountOrder] = {}
        self.after_trade: list[Callable[[Market, int, int], None]] = []
        """Called with market, price and now when a trade has reached the orders."""

    def new_order(
        self,
        account: Account,
        market: Market,
        *,
        side: Side,
        type: OrderType,  # noqa: A002 - the order's own word
        quantity: int,
        price: int,
        trigger: int = 0,
        product: Product = Product.INTRADAY,
        tag: str = "",
        placed_by: str = "",
        now: int,
    ) -> AccountOrder:
        """Store an order as received; `submit` carries it to the exchange."""
        self._numbers += 1
        digits = ID_DIGITS.get(account.spec.broker, 9)
        order_id = f"{market.session.day:%y%m%d}{self._numbers:0{digits}}"
        sim = SimOrder(order_id=order_id, side=side, type=type, quantity=quantity, price=price, trigger=trigger)
        order = AccountOrder(
            order_id=order_id,
            exchange_order_id=f"13{self._numbers:014}",
            client_id=account.spec.client_id,
            exchange=market.instrument.exchange,
            symbol=market.instrument.symbol,
            product=product,
            sim=sim,
            tag=tag,
            placed_by=placed_by or account.spec.client_id,
            placed_at=now,
        )
        account.orders[order_id] = order
        self._owners[order_id] = order
        self._note(order, Stage.RECEIVED, now)
        return order

    def submit(self, order: AccountOrder, now: int) -> None:
        """Carry a received order through the broker's checks to the exchange."""
        account = self._accounts[order.client_id]
        self._note(order, Stage.VALIDATING, now)
        own = order.placed_by != SQUARE_OFF_DESK
        if own and (refused := by_fault(account.faults, order.sim.side, in_answer=False)):
            self._reject(order, refused, now)
            return
        bare = sell_refusal(account, order, self._market(order))
        if bare is not None:
            self._reject(order, bare, now)
            return
        short = margin_short(self._markets, account, order)
        if short is not None:
            needed, free = short
            rupees = f"Required:{needed / 10_000:.2f}, Available:{free / 10_000:.2f}"
            self._reject(order, Refused(RejectKind.MARGIN, rupees), now)
            return
        self._note(order, Stage.SENT, now)
        book = self._market(order).book
        outcome = matching.place(book, order.sim, now)
        if order.sim.status is OrderStatus.REJECTED:
            self._note(order, Stage.REJECTED, now)
            return
        order.at_exchange = True
        self._note_live(order, now)
        self._settle(outcome, now, skip=1)

    def modify(self, order: AccountOrder, changes: dict[str, int | OrderType], now: int) -> Refused | None:
        """Change a live order; a refusal leaves it as it was and is told in its history."""
        if "quantity" in changes:
            whole = self._accounts[order.client_id].whole_quantity(order, int(changes["quantity"]))
            changes = {**changes, "quantity": whole}
        self._note(order, Stage.MODIFY_VALIDATING, now)
        triggered = order.sim.status is OrderStatus.TRIGGERED
        outcome = matching.modify(self._market(order).book, order.sim, now=now, **changes)  # type: ignore[arg-type]
        if isinstance(outcome, Refused):
            order.sim.message = outcome.message if order.sim.status not in FINAL else order.sim.message
            self._note_now(order, now)
            return outcome
        order.modifications += 1
        for stage in (Stage.MODIFY_SENT, Stage.MODIFIED):
            self._note(order, stage, now)
        self._note_live(order, now, triggered=triggered)
        self._settle(outcome, now, skip=1)
        return None

    def cancel(self, order: AccountOrder, now: int, message: str = "") -> Refused | None:
        """Cancel a live order; with a message it is the exchange's own cancel."""
        if not message:
            self._note(order, Stage.CANCEL_SENT, now)
        outcome = matching.cancel(self._market(order).book, order.sim, message)
        if isinstance(outcome, Refused):
            self._note_now(order, now)
            return outcome
        self._note(order, Stage.CANCELLED, now)
        return None

    def trade(self, market: Market, price: int, time: int, now: int) -> None:
        """A trade of the record reaches our orders."""
        self._settle(matching.trade(market.book, price, time), now)
        for told in self.after_trade:
            told(market, price, now)

    def end_stops(self, market: Market, now: int) -> None:
        """No stop works any more."""
        self._settle(matching.end_stops(market.book), now)

    def end_session(self, market: Market, now: int) -> None:
        """Nothing trades any more today."""
        self._settle(matching.end_session(market.book), now)

    def square_off(self, account: Account, market: Market, now: int) -> None:
        """The broker's own square-off: pending intraday orders are cancelled, then the position is sold or bought."""
        symbol = market.instrument.symbol
        for order in list(account.orders.values()):
            if order.symbol == symbol and order.product is Product.INTRADAY and order.sim.status not in FINAL:
                self.cancel(order, now, "cancelled by the broker's square-off")
        for position in positions_of(account.trades):
            if position.symbol != symbol or position.product is not Product.INTRADAY or position.net == 0:
                continue
            side = Side.SELL if position.net > 0 else Side.BUY
            order = self.new_order(
                account,
                market,
                side=side,
                type=OrderType.LIMIT,
                quantity=abs(position.net),
                price=market.book.band_low if side is Side.SELL else market.book.band_high,
                placed_by=SQUARE_OFF_DESK,
                now=now,
            )
            self.submit(order, now)

    def forget(self, account: Account) -> None:
        """Drop the account's orders from the index."""
        for order_id in account.orders:
            self._owners.pop(order_id, None)

    def free_cash(self, account: Account) -> int:
        """Cash that is neither in positions nor kept for live opening orders (`Price` units)."""
        return funds_of(self._markets, account).free

    def _market(self, order: AccountOrder) -> Market:
        return self._markets[f"{order.exchange}:{order.symbol}"]

    def _reject(self, order: AccountOrder, refused: Refused, now: int) -> None:
        order.sim.status, order.sim.reject_kind = OrderStatus.REJECTED, refused.kind
        order.sim.message = refused.message
        self._note(order, Stage.REJECTED, now)

    def _settle(self, outcome: Outcome, now: int, skip: int = 0) -> None:
        """Book the fills of an outcome, and tell the stage of every changed order (the first `skip` are told)."""
        for fill in outcome.fills:
            order = self._owners[fill.order_id]
            trades = self._accounts[order.client_id].trades
            self._numbers += 1
            trades.append(
                AccountTrade(
                    trade_id=f"3{self._numbers:08}",
                    order=order,
                    quantity=fill.quantity,
                    price=fill.price,
                    time=fill.time,
                )
            )
        for order_id in dict.fromkeys(outcome.changed[skip:]):
            self._note_now(self._owners[order_id], now)

    def _note_live(self, order: AccountOrder, now: int, *, triggered: bool = False) -> None:
        """The order as the exchange took it, before what it filled at once: the engine answers with both in one."""
        sim = order.sim
        after = (sim.status, sim.filled, sim.value)
        booked = [trade for trade in self._accounts[order.client_id].trades if trade.order is order]
        sim.filled = sum(trade.quantity for trade in booked)
        sim.value = sum(trade.quantity * trade.price for trade in booked)
        if sim.type is OrderType.LIMIT:
            sim.status = OrderStatus.OPEN
        else:
            sim.status = OrderStatus.TRIGGERED if triggered else OrderStatus.TRIGGER_PENDING
        self._note(order, Stage.LIVE, now)
        sim.status, sim.filled, sim.value = after

    def _note_now(self, order: AccountOrder, now: int) -> None:
        status = order.sim.status
        stage = {
            OrderStatus.FILLED: Stage.FILLED,
            OrderStatus.CANCELLED: Stage.CANCELLED,
            OrderStatus.REJECTED: Stage.REJECTED,
        }.get(status, Stage.PARTLY_FILLED if order.sim.filled else Stage.LIVE)
        self._note(order, stage, now)

    def _note(self, order: AccountOrder, stage: Stage, now: int) -> None:
        snapshot = record(order, stage, now)
        for listener in self._accounts[order.client_id].listeners:
            listener(order, snapshot)
