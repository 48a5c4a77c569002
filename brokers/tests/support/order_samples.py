"""Orders and instruments that the tests of several brokers use."""

from algo_brokers.records import InstrumentRef, NewOrder, OrderRef
from algo_crds.contracts.orders import Leg, OrderType, Product, Side

RELIANCE = InstrumentRef(exchange="NSE", symbol="RELIANCE")


def new_order(**changes: object) -> NewOrder:
    """A buy of ten RELIANCE at 2,870 rupees, with changes."""
    values: dict[str, object] = {
        "tag": "a12345678abce001",
        "instrument": RELIANCE,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "quantity": 10,
        "price": 28700000,
        "product": Product.INTRADAY,
    }
    return NewOrder(**{**values, **changes})  # type: ignore[arg-type]


def order_ref(
    broker_order_id: str, *, instrument: InstrumentRef = RELIANCE, leg: Leg = Leg.STOP, tag: str = "a12345678abcs001"
) -> OrderRef:
    """A live order."""
    return OrderRef(broker_order_id=broker_order_id, tag=tag, instrument=instrument, product=Product.INTRADAY, leg=leg)
