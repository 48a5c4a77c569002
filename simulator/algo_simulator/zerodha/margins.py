"""The margin and charges calculators: a flat model (a fifth for intraday, no charges), in Kite's shape."""

from typing import Final

import msgspec
from algo_crds.contracts.orders import Side

from algo_simulator.front import Caller
from algo_simulator.funds import INTRADAY_LEVERAGE
from algo_simulator.zerodha.errors import input_error
from algo_simulator.zerodha.names import find_market
from algo_simulator.zerodha.rows import rupees

MAX_ROWS: Final = 200
_NO_CHARGES: Final[dict[str, object]] = {
    "transaction_tax": 0,
    "transaction_tax_type": "stt",
    "exchange_turnover_charge": 0,
    "sebi_turnover_charge": 0,
    "brokerage": 0,
    "stamp_duty": 0,
    "gst": {"igst": 0, "cgst": 0, "sgst": 0, "total": 0},
    "total": 0,
}


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    exchange: str
    tradingsymbol: str
    transaction_type: str
    product: str = "MIS"
    quantity: float = 0
    price: float = 0
    average_price: float = 0


def order_margins(caller: Caller, body: bytes) -> list[dict[str, object]]:
    """`POST /margins/orders`.

    Raises:
        KiteError: no JSON array of orders.
    """
    return [_margin(caller, row) for row in _rows(body)]


def basket_margins(caller: Caller, body: bytes) -> dict[str, object]:
    """`POST /margins/basket`.

    Raises:
        KiteError: no JSON array of orders.
    """
    orders = [_margin(caller, row) for row in _rows(body)]
    total = sum(float(str(order["total"])) for order in orders)
    whole = {"type": "equity", "total": total}
    return {"initial": whole, "final": whole, "orders": orders, "charges": _NO_CHARGES}


def charges(body: bytes) -> list[dict[str, object]]:
    """`POST /charges/orders`.

    Raises:
        KiteError: no JSON array of orders.
    """
    return [
        {
            "transaction_type": row.transaction_type,
            "tradingsymbol": row.tradingsymbol,
            "exchange": row.exchange,
            "product": row.product,
            "quantity": row.quantity,
            "price": row.average_price,
            "charges": _NO_CHARGES,
        }
        for row in _rows(body)
    ]


def _rows(body: bytes) -> list[_Row]:
    try:
        rows = msgspec.json.decode(body, type=list[_Row])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise input_error(f"Invalid JSON in the request's body: {error}"[:200]) from None
    if len(rows) > MAX_ROWS or any(row.transaction_type.title() not in list(Side) for row in rows):
        raise input_error("Invalid orders in the request's body.")
    return rows


def _margin(caller: Caller, row: _Row) -> dict[str, object]:
    market = find_market(caller.clock.world.markets, row.exchange, row.tradingsymbol)
    if market is None:
        raise input_error(f"Invalid instrument {row.exchange[:20]}:{row.tradingsymbol[:40]}")
    price = row.price or rupees(market.stats.last or market.previous_close)
    leverage = INTRADAY_LEVERAGE if row.product == "MIS" else 1
    total = round(row.quantity * price / leverage, 2)
    return {
        "type": "equity",
        "tradingsymbol": row.tradingsymbol,
        "exchange": row.exchange,
        "span": 0,
        "exposure": 0,
        "option_premium": 0,
        "additional": 0,
        "bo": 0,
        "cash": 0,
        "var": total,
        "pnl": {"realised": 0, "unrealised": 0},
        "leverage": leverage,
        "charges": _NO_CHARGES,
        "total": total,
    }
