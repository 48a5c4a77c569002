"""Orders and trades as Kite writes them."""

import hashlib
from datetime import datetime
from typing import Final

from algo_crds.contracts.clock import IST
from algo_crds.contracts.orders import OrderStatus, OrderType, Product, RejectKind, Side
from algo_market.order_rules import Refused

from algo_simulator.accounts import AccountSpec
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, AccountTrade, Snapshot, Stage
from algo_simulator.zerodha.errors import refusal_text
from algo_simulator.zerodha.names import kite_symbol, kite_token

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
    protection = order.memo.get("protection")
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
        "validity_ttl": order.memo.get("ttl", 0),
        "product": product_name(order.product, market),
        "quantity": snapshot.quantity,
        "disclosed_quantity": order.disclosed_quantity,
        "price": rupees(snapshot.price),
        "trigger_price": rupees(snapshot.trigger),
        "auction_number": None,
        "average_price": rupees(snapshot.average_price),
        "filled_quantity": snapshot.filled,
        "pending_quantity": 0 if final else snapshot.quantity - snapshot.filled,
        "cancelled_quantity": cancelled,
        "market_protection": protection or 0,
        "meta": {},
        "tag": order.tag or None,
        "tags": [*([order.tag] if order.tag else []), *(["mktp", f"mktp:{protection:.2f}"] if protection else [])],
        "guid": "0x" + hashlib.sha256(order.order_id.encode()).hexdigest()[:8],
    }


def _for_people(message: str | None, kind: RejectKind | None) -> str | None:
    if message is not None and kind is RejectKind.MARGIN:
        return "Insufficient funds. " + message.removeprefix("RMS:Margin Exceeds,")
    return message


def product_name(product: Product, market: Market) -> str:
    """Kite has two words for what is kept over night: of shares, and of contracts."""
    if product is Product.INTRADAY:
        return "MIS"
    return "CNC" if market.instrument.kind == "EQ" else "NRML"


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
        "product": product_name(order.product, market),
        "average_price": rupees(trade.price),
        "quantity": trade.quantity,
        "exchange_order_id": order.exchange_order_id,
        "transaction_type": "BUY" if order.sim.side is Side.BUY else "SELL",
        "fill_timestamp": stamp(trade.time),
        "order_timestamp": stamp(order.placed_at)[11:],
        "exchange_timestamp": stamp(trade.time),
    }
