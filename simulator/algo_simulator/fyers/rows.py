"""Orders, trades, holdings and funds as Fyers' REST API writes them."""

from datetime import datetime
from typing import Final
from uuid import UUID

from algo_crds.contracts.clock import IST
from algo_crds.contracts.orders import OrderType, Product, Side
from algo_market.instruments import DayInstrument
from algo_market.order_rules import Refused

from algo_simulator.exchange import SQUARE_OFF_DESK
from algo_simulator.front import Caller
from algo_simulator.funds import funds_of
from algo_simulator.fyers.errors import refusal_text
from algo_simulator.fyers.names import (
    exchange_code,
    fyers_symbol,
    fyers_token,
    instrument_code,
    segment_code,
)
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, AccountTrade, Snapshot, Stage

TRANSIT: Final = 4
PENDING: Final = 6
REJECTED: Final = 5
FILLED: Final = 2
CANCELLED: Final = 1
EXPIRED: Final = 7
_STATUS: Final = {
    Stage.RECEIVED: TRANSIT,
    Stage.VALIDATING: TRANSIT,
    Stage.SENT: TRANSIT,
    Stage.FILLED: FILLED,
    Stage.CANCELLED: CANCELLED,
    Stage.REJECTED: REJECTED,
}
LIMIT: Final = 1
STOP_LIMIT: Final = 4
FROM_API: Final = "ITS"
FROM_ADMIN: Final = "A"
UNTAGGED: Final = "2:Untagged"


def rupees(price: int) -> float:
    """A `Price` as the number that Fyers sends."""
    return price / 10_000


def moment(now: int) -> str:
    """`23-Nov-2026 09:20:11`, IST."""
    return f"{datetime.fromtimestamp(now / 1000, IST):%d-%b-%Y %H:%M:%S}"


def side_code(side: Side) -> int:
    """1 buy, -1 sell."""
    return 1 if side is Side.BUY else -1


def product_name(product: Product, instrument: DayInstrument) -> str:
    """`INTRADAY`; what is kept is `CNC` for shares and `MARGIN` for derivatives."""
    if product is Product.INTRADAY:
        return "INTRADAY"
    return "CNC" if instrument.kind in ("EQ", "INDEX") else "MARGIN"


def shown_tag(order: AccountOrder) -> str:
    """The tag with the prefix that tells who set it: 1 the user, 2 Fyers."""
    return f"1:{order.tag}" if order.tag else UNTAGGED


def fyers_uuid(order_id: str) -> str:
    """`id_fyers`: the id that an order has before the order system gave it one."""
    return str(UUID(int=int(order_id) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128), version=4))


def status_code(snapshot: Snapshot, market: Market) -> int:
    """Fyers' number of a stage: what nobody cancelled and the end of the session took out has expired."""
    code = _STATUS.get(snapshot.stage, PENDING)
    ended = snapshot.time >= market.session.end_of_stops and bool(snapshot.message)
    return EXPIRED if code == CANCELLED and ended else code


def type_code(kind: OrderType) -> int:
    """1 limit, 4 stop-limit: a market order was turned into a limit order, a market stop into a stop-limit."""
    return LIMIT if kind is OrderType.LIMIT else STOP_LIMIT


def message_of(order: AccountOrder, snapshot: Snapshot) -> str:
    """What the order system says of an order."""
    if not snapshot.message:
        return ""
    kind = snapshot.reject_kind
    return snapshot.message if kind is None else refusal_text(Refused(kind, snapshot.message), order.sim.side)


def order_row(order: AccountOrder, number: int, market: Market) -> dict[str, object]:
    """One row of the order book, as the order stands now."""
    snapshot, instrument, stats = order.history[-1], market.instrument, market.stats
    status = status_code(snapshot, market)
    last, close = stats.last or market.previous_close, market.previous_close
    return {
        "clientId": order.client_id,
        "id": order.order_id,
        "id_fyers": fyers_uuid(order.order_id),
        "exchOrdId": order.exchange_order_id if snapshot.at_exchange else "",
        "qty": snapshot.quantity,
        "remainingQuantity": snapshot.quantity - snapshot.filled if status in (PENDING, TRANSIT) else 0,
        "filledQty": snapshot.filled,
        "discloseQty": order.disclosed_quantity,
        "disclosedQty": order.disclosed_quantity,
        "dqQtyRem": 0,
        "limitPrice": rupees(snapshot.price),
        "stopPrice": rupees(snapshot.trigger),
        "tradedPrice": rupees(snapshot.average_price),
        "type": type_code(snapshot.type),
        "fyToken": fyers_token(instrument),
        "exchange": exchange_code(instrument),
        "segment": segment_code(instrument),
        "symbol": fyers_symbol(instrument),
        "instrument": instrument_code(instrument),
        "message": message_of(order, snapshot),
        "offlineOrder": False,
        "orderDateTime": moment(order.placed_at),
        "orderValidity": order.validity,
        "pan": "",
        "productType": product_name(order.product, instrument),
        "side": side_code(order.sim.side),
        "status": status,
        "source": source_of(order),
        "ex_sym": instrument.underlying or instrument.symbol,
        "description": instrument.name,
        "ch": rupees(last - close),
        "chp": change_percent(last, close),
        "lp": rupees(last),
        "slNo": number,
        "orderNumStatus": f"{order.order_id}:{status}",
        "orderTag": shown_tag(order),
        "takeProfit": 0,
        "stopLoss": 0,
        "parentId": "",
    }


def source_of(order: AccountOrder) -> str:
    """Where an order came from: the API, or the broker's own desk."""
    return FROM_ADMIN if order.placed_by == SQUARE_OFF_DESK else FROM_API


def change_percent(last: int, close: int) -> float:
    """The change since the previous close."""
    return round((last - close) / close * 100, 2) if close else 0


def trade_row(trade: AccountTrade, number: int, market: Market) -> dict[str, object]:
    """One row of the trade book."""
    order, instrument = trade.order, market.instrument
    return {
        "clientId": order.client_id,
        "orderDateTime": moment(trade.time),
        "orderNumber": order.order_id,
        "exchangeOrderNo": order.exchange_order_id,
        "exchange": exchange_code(instrument),
        "segment": segment_code(instrument),
        "side": side_code(order.sim.side),
        "orderType": type_code(order.sim.type),
        "fyToken": fyers_token(instrument),
        "productType": product_name(order.product, instrument),
        "tradedQty": trade.quantity,
        "tradePrice": rupees(trade.price),
        "tradeValue": rupees(trade.price * trade.quantity),
        "tradeNumber": f"{order.order_id}-{trade.trade_id}",
        "row": number,
        "symbol": fyers_symbol(instrument),
        "orderTag": shown_tag(order),
    }


def fund_rows(caller: Caller) -> dict[str, object]:
    """`GET /funds`: ten rows; the last is what may be spent."""
    funds = funds_of(caller.clock.world.markets, caller.account)
    rows = (
        ("Total Balance", funds.free + funds.used),
        ("Utilized Amount", funds.used),
        ("Clear Balance", funds.free),
        ("Realized Profit and Loss", funds.realised),
        ("Collaterals", 0),
        ("Fund Transfer", 0),
        ("Receivables", 0),
        ("Adhoc Limit", 0),
        ("Limit at start of the day", funds.opening),
        ("Available Balance", funds.free),
    )
    table = [
        {"id": number, "title": title, "equityAmount": rupees(amount), "commodityAmount": 0.0}
        for number, (title, amount) in enumerate(rows, start=1)
    ]
    return {"fund_limit": table}
