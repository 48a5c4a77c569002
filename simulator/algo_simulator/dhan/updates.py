"""An order as the order-update socket tells it: other keys and codes than the book's."""

from collections.abc import Callable
from typing import Final

from algo_crds.contracts.orders import OrderType, Side
from algo_market.instruments import DayInstrument

from algo_simulator.dhan.names import display_name, instrument_word, product_word, security_id
from algo_simulator.dhan.rows import NO_TIME, reason, rupees, stamp, status_word
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, AccountTrade, Snapshot, Stage

_PRODUCT_CODES: Final = {"CNC": "C", "INTRADAY": "I", "MARGIN": "M", "MTF": "F"}
_TOLD: Final = frozenset(
    {Stage.SENT, Stage.LIVE, Stage.PARTLY_FILLED, Stage.FILLED, Stage.CANCELLED, Stage.REJECTED, Stage.MODIFIED}
)
_EXCHANGES: Final = {"NFO": "NSE", "BFO": "BSE"}
FROM_API: Final = "P"
FROM_SCREEN: Final = "N"


def told(snapshot: Snapshot) -> bool:
    """Whether the socket tells this stage."""
    return snapshot.stage in _TOLD


def update_data(
    order: AccountOrder,
    snapshot: Snapshot,
    market: Market,
    *,
    last_trade: AccountTrade | None = None,
    parent: str = "",
    key: Callable[[str], str] = lambda name: name,
) -> dict[str, object]:
    """The `Data` of an `order_alert`.

    Args:
        parent: id of the lasting order that sent this one.
        key: spells the keys; as given they are camelCase.
    """
    instrument = market.instrument
    word = order.product_word or product_word(order.product, instrument)
    final = snapshot.stage in (Stage.CANCELLED, Stage.REJECTED, Stage.FILLED)
    left = snapshot.quantity - snapshot.filled
    row: dict[str, object] = {
        "exchange": _EXCHANGES.get(instrument.exchange, instrument.exchange),
        "segment": "E" if instrument.expiry is None else "D",
        "source": FROM_API if order.placed_by == order.client_id else FROM_SCREEN,
        "securityId": str(security_id(instrument)),
        "clientId": order.client_id,
        "exchOrderNo": order.exchange_order_id if snapshot.at_exchange else "0",
        "orderNo": order.order_id,
        "product": _PRODUCT_CODES[word],
        "txnType": "B" if order.sim.side is Side.BUY else "S",
        "orderType": "SL" if snapshot.type is OrderType.STOP_LIMIT else "LMT",
        "validity": order.validity,
        "discQuantity": order.disclosed_quantity,
        "discQtyRem": order.disclosed_quantity,
        "remainingQuantity": 0 if final else left,
        "quantity": snapshot.quantity,
        "tradedQty": snapshot.filled,
        "price": rupees(snapshot.price),
        "triggerPrice": rupees(snapshot.trigger),
        "tradedPrice": rupees(last_trade.price) if last_trade is not None else 0,
        "avgTradedPrice": rupees(snapshot.average_price),
        "algoOrdNo": parent,
        "offMktFlag": "0",
        "orderDateTime": stamp(order.placed_at),
        "exchOrderTime": stamp(snapshot.time) if snapshot.at_exchange else NO_TIME,
        "lastUpdatedTime": stamp(snapshot.time),
        "remarks": "NR",
        "mktType": "NL",
        "reasonDescription": reason(order, snapshot) or "CONFIRMED",
        "legNo": 1,
        **_named(instrument),
        "productName": word,
        "status": status_word(order, snapshot, market).title(),
        "goodTillDaysDate": stamp(order.placed_at)[:10],
        "refLtp": rupees(market.stats.last or market.previous_close),
        "algoId": "0",
        "multiplier": 1,
        "correlationId": order.tag or "NA",
    }
    return {key(name): value for name, value in row.items()}


def _named(instrument: DayInstrument) -> dict[str, object]:
    """What the socket says of the instrument itself."""
    return {
        "instrument": instrument_word(instrument),
        "symbol": instrument.symbol if instrument.expiry is None else instrument.underlying or instrument.name,
        "lotSize": instrument.lot,
        "strikePrice": rupees(instrument.strike),
        "expiryDate": NO_TIME if instrument.expiry is None else f"{instrument.expiry} 14:30:00",
        "optType": instrument.kind if instrument.option else "XX",
        "displayName": display_name(instrument),
        "isin": instrument.isin,
        "series": "EQ" if instrument.kind == "EQ" else "XX",
        "tickSize": rupees(instrument.tick_size),
    }


def pascal(name: str) -> str:
    """`orderNo` as the documentation prints it: `OrderNo`."""
    return name[0].upper() + name[1:]
