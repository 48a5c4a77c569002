"""Orders of simulated accounts in the simulator's own terms; each broker's front end renders its rows from them."""

from enum import StrEnum

import msgspec
from algo_crds.contracts.orders import OrderStatus, OrderType, Product, RejectKind, Side
from algo_market.matching import SimOrder


class Stage(StrEnum):
    """One entry of an order's history."""

    RECEIVED = "Received"
    VALIDATING = "Validating"
    SENT = "Sent"
    LIVE = "Live"
    PARTLY_FILLED = "PartlyFilled"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"
    MODIFY_VALIDATING = "ModifyValidating"
    MODIFY_SENT = "ModifySent"
    MODIFIED = "Modified"
    CANCEL_SENT = "CancelSent"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The order as it stood when it entered a stage."""

    stage: Stage
    time: int
    status: OrderStatus
    type: OrderType
    price: int
    trigger: int
    quantity: int
    filled: int
    average_price: int
    message: str
    reject_kind: RejectKind | None
    at_exchange: bool


class AccountOrder(msgspec.Struct, kw_only=True):
    """An order of an account."""

    order_id: str
    exchange_order_id: str
    client_id: str
    exchange: str
    symbol: str
    product: Product
    sim: SimOrder
    tag: str = ""
    placed_by: str = ""
    placed_at: int = 0
    validity: str = "DAY"
    disclosed_quantity: int = 0
    modifications: int = 0
    at_exchange: bool = False
    product_word: str = ""
    """The broker's own word for the product, where it has more of them than the exchange."""
    history: list[Snapshot] = []
    memo: dict[str, object] = {}
    """What the front end keeps of it in its own words (product, variety, order type as sent)."""


class AccountTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A fill of an account's order."""

    trade_id: str
    order: AccountOrder
    quantity: int
    price: int
    time: int


def record(order: AccountOrder, stage: Stage, now: int) -> Snapshot:
    """Add a stage to the order's history."""
    sim = order.sim
    snapshot = Snapshot(
        stage=stage,
        time=now,
        status=sim.status,
        type=sim.type,
        price=sim.price,
        trigger=sim.trigger,
        quantity=sim.quantity,
        filled=sim.filled,
        average_price=sim.average_price,
        message=sim.message,
        reject_kind=sim.reject_kind,
        at_exchange=order.at_exchange,
    )
    order.history.append(snapshot)
    return snapshot


class Position(msgspec.Struct, kw_only=True):
    """What an account bought and sold of one symbol and product today."""

    exchange: str
    symbol: str
    product: Product
    bought: int = 0
    bought_value: int = 0
    sold: int = 0
    sold_value: int = 0

    @property
    def key(self) -> str:
        """`EXCHANGE:SYMBOL`."""
        return f"{self.exchange}:{self.symbol}"

    @property
    def net(self) -> int:
        """Shares held; negative is short."""
        return self.bought - self.sold


def positions_of(trades: list[AccountTrade]) -> list[Position]:
    """The account's positions, in the order of their first trade; squared-off ones stay with a net of zero."""
    found: dict[tuple[str, str, Product], Position] = {}
    for trade in trades:
        order = trade.order
        key = (order.exchange, order.symbol, order.product)
        position = found.get(key)
        if position is None:
            position = found[key] = Position(exchange=key[0], symbol=key[1], product=key[2])
        if order.sim.side is Side.BUY:
            position.bought += trade.quantity
            position.bought_value += trade.quantity * trade.price
        else:
            position.sold += trade.quantity
            position.sold_value += trade.quantity * trade.price
    return list(found.values())
