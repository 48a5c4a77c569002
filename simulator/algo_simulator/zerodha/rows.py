"""Orders, trades, positions and funds as Kite writes them."""

import hashlib
from datetime import datetime
from typing import Final

from algo_crds.contracts.clock import IST
from algo_crds.contracts.orders import OrderStatus, OrderType, Product, RejectKind, Side
from algo_market.order_rules import Refused

from algo_simulator.accounts import AccountSpec
from algo_simulator.front import Caller
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, AccountTrade, Position, Snapshot, Stage, positions_of
from algo_simulator.zerodha.errors import refusal_text
from algo_simulator.zerodha.names import kite_symbol, kite_token

PRODUCT_NAMES: Final = {Product.INTRADAY: "MIS", Product.DELIVERY: "CNC"}
_STATUS: Final = {
    Stage.RECEIVED: "PUT ORDER REQ RECEIVED",
    Stage.VALIDATING: "VALIDATION PENDING",
    Stage.SENT: "OPEN PENDING",
    Stage.FILLED: "COMPLETE",
    Stage.CANCELLED: "CANCELLED",
    Stage.REJECTED: "REJECTED",
    Stage.MODIFY_VALIDATING: "MODIFY VALIDATION PENDING",
    Stage.MODIFY_SENT: "MODIFY PENDING",
    Stage.MODIFIED: "MODIFIED",
    Stage.CANCEL_SENT: "CANCEL PENDING",
}


def rupees(price: int) -> float:
    """A `Price` as the float that Kite sends."""
    return price / 10_000


def stamp(now: int) -> str:
    """`YYYY-MM-DD hh:mm:ss`, IST."""
    return f"{datetime.fromtimestamp(now / 1000, IST):%Y-%m-%d %H:%M:%S}"


def status_text(snapshot: Snapshot) -> str:
    """Kite's word for a stage; a live stop that waits is TRIGGER PENDING, every other live order OPEN."""
    text = _STATUS.get(snapshot.stage)
    if text is not None:
        return text
    return "TRIGGER PENDING" if snapshot.status is OrderStatus.TRIGGER_PENDING else "OPEN"


def order_row(order: AccountOrder, snapshot: Snapshot, market: Market) -> dict[str, object]:
    """One order object: a row of the book, of the history, or of the socket."""
    message = None
    if snapshot.message:
        kind = snapshot.reject_kind
        message = snapshot.message if kind is None else refusal_text(Refused(kind, snapshot.message), order.sim.side)
    at_exchange = stamp(snapshot.time) if snapshot.at_exchange else None
    cancelled = snapshot.quantity - snapshot.filled if snapshot.stage is Stage.CANCELLED else 0
    final = snapshot.stage in (Stage.CANCELLED, Stage.REJECTED, Stage.FILLED)
    return {
        "account_id": order.client_id,
        "placed_by": order.placed_by,
        "order_id": order.order_id,
        "exchange_order_id": order.exchange_order_id if snapshot.at_exchange else None,
        "parent_order_id": None,
        "status": status_text(snapshot),
        "status_message": _for_people(message, snapshot.reject_kind),
        "status_message_raw": message,
        "order_timestamp": stamp(order.placed_at),
        "exchange_update_timestamp": at_exchange,
        "exchange_timestamp": at_exchange,
        "variety": "regular",
        "modified": order.modifications > 0,
        "exchange": order.exchange,
        "tradingsymbol": kite_symbol(market.instrument),
        "instrument_token": kite_token(market.instrument),
        "order_type": "SL" if snapshot.type is OrderType.STOP_LIMIT else "LIMIT",
        "transaction_type": "BUY" if order.sim.side is Side.BUY else "SELL",
        "validity": order.validity,
        "validity_ttl": 0,
        "product": _product(order, market),
        "quantity": snapshot.quantity,
        "disclosed_quantity": order.disclosed_quantity,
        "price": rupees(snapshot.price),
        "trigger_price": rupees(snapshot.trigger),
        "auction_number": None,
        "average_price": rupees(snapshot.average_price),
        "filled_quantity": snapshot.filled,
        "pending_quantity": 0 if final else snapshot.quantity - snapshot.filled,
        "cancelled_quantity": cancelled,
        "market_protection": 0,
        "meta": {},
        "tag": order.tag or None,
        "tags": [order.tag] if order.tag else [],
        "guid": "0x" + hashlib.sha256(order.order_id.encode()).hexdigest()[:8],
    }


def _for_people(message: str | None, kind: RejectKind | None) -> str | None:
    if message is not None and kind is RejectKind.MARGIN:
        return "Insufficient funds. " + message.removeprefix("RMS:Margin Exceeds,")
    return message


def _product(order: AccountOrder, market: Market) -> str:
    if order.product is Product.DELIVERY and market.instrument.kind != "EQ":
        return "NRML"
    return PRODUCT_NAMES[order.product]


def update_payload(spec: AccountSpec, order: AccountOrder, snapshot: Snapshot, market: Market) -> dict[str, object]:
    """The order as a socket sends it: the postback's shape. A change or partial fill has the status UPDATE."""
    row = order_row(order, snapshot, market)
    for name in ("modified", "tags"):
        del row[name]
    if snapshot.stage in (Stage.PARTLY_FILLED, Stage.MODIFIED):
        row["status"] = "UPDATE"
    proof = f"{order.order_id}{row['order_timestamp']}{spec.api_secret}"
    return {
        **row,
        "user_id": spec.client_id,
        "app_id": 1,
        "unfilled_quantity": snapshot.quantity - snapshot.filled,
        "checksum": hashlib.sha256(proof.encode()).hexdigest(),
    }


def trade_row(trade: AccountTrade, market: Market) -> dict[str, object]:
    """One trade of the trade book."""
    order = trade.order
    return {
        "trade_id": trade.trade_id,
        "order_id": order.order_id,
        "exchange": order.exchange,
        "tradingsymbol": kite_symbol(market.instrument),
        "instrument_token": kite_token(market.instrument),
        "product": _product(order, market),
        "average_price": rupees(trade.price),
        "quantity": trade.quantity,
        "exchange_order_id": order.exchange_order_id,
        "transaction_type": "BUY" if order.sim.side is Side.BUY else "SELL",
        "fill_timestamp": stamp(trade.time),
        "order_timestamp": stamp(order.placed_at)[11:],
        "exchange_timestamp": stamp(trade.time),
    }


def position_row(position: Position, market: Market) -> dict[str, object]:
    """One position, with the published arithmetic."""
    last = market.stats.last or market.previous_close
    value = position.sold_value - position.bought_value
    pnl = rupees(value + position.net * last)
    side_value = position.bought_value if position.net > 0 else position.sold_value
    side_quantity = position.bought if position.net > 0 else position.sold
    average = side_value / side_quantity / 10_000 if position.net else 0
    bought = rupees(position.bought_value) / position.bought if position.bought else 0
    sold = rupees(position.sold_value) / position.sold if position.sold else 0
    buy = {"quantity": position.bought, "price": bought, "value": rupees(position.bought_value)}
    sell = {"quantity": position.sold, "price": sold, "value": rupees(position.sold_value)}
    return {
        "tradingsymbol": kite_symbol(market.instrument),
        "exchange": position.exchange,
        "instrument_token": kite_token(market.instrument),
        "product": PRODUCT_NAMES[position.product],
        "quantity": position.net,
        "overnight_quantity": 0,
        "multiplier": 1,
        "average_price": average,
        "close_price": 0,
        "last_price": rupees(last),
        "value": rupees(value),
        "pnl": pnl,
        "m2m": pnl,
        "unrealised": pnl,
        "realised": 0,
        **{f"buy_{name}": number for name, number in {**buy, "m2m": buy["value"]}.items()},
        **{f"sell_{name}": number for name, number in {**sell, "m2m": sell["value"]}.items()},
        **{f"day_buy_{name}": number for name, number in buy.items()},
        **{f"day_sell_{name}": number for name, number in sell.items()},
    }


def positions(caller: Caller) -> dict[str, object]:
    """`GET /portfolio/positions`: nothing is carried into a world's day, so net and day are the same."""
    markets = caller.clock.world.markets
    rows = [
        position_row(position, markets[f"{position.exchange}:{position.symbol}"])
        for position in positions_of(caller.account.trades)
    ]
    return {"net": rows, "day": rows}


def funds(caller: Caller) -> dict[str, object]:
    """The equity side of `GET /user/margins`."""
    cash = float(caller.account.spec.cash)
    free = rupees(caller.clock.world.exchange.free_cash(caller.account))
    nothing = ("exposure", "m2m_realised", "m2m_unrealised", "option_premium", "payout", "span", "holding_sales")
    more = ("turnover", "liquid_collateral", "stock_collateral", "delivery")
    return {
        "enabled": True,
        "net": free,
        "available": {
            "adhoc_margin": 0,
            "cash": cash,
            "opening_balance": cash,
            "live_balance": free,
            "collateral": 0,
            "intraday_payin": 0,
        },
        "utilised": {"debits": cash - free, **dict.fromkeys(nothing + more, 0)},
    }
