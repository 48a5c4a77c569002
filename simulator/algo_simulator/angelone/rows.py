"""Orders and trades as Angel One writes them: prices of orders are numbers, nearly everything else is text."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from algo_crds.contracts.clock import IST
from algo_crds.contracts.orders import OrderStatus
from algo_market.instruments import DayInstrument
from algo_market.order_rules import Refused

from algo_simulator.angelone.desk import after_market
from algo_simulator.angelone.errors import refusal_text
from algo_simulator.angelone.names import (
    SIDE_WORDS,
    angel_symbol,
    angel_token,
    expiry_word,
    instrument_type,
    option_word,
    order_type_word,
    product_word,
    varieties,
)
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, AccountTrade, Snapshot, Stage

NOT_MODIFIED: Final = "not modified"
_STATUS: Final = {
    Stage.RECEIVED: "put order req received",
    Stage.VALIDATING: "validation pending",
    Stage.SENT: "open pending",
    Stage.FILLED: "complete",
    Stage.CANCELLED: "cancelled",
    Stage.REJECTED: "rejected",
    Stage.MODIFY_VALIDATING: "modify validation pending",
    Stage.MODIFY_SENT: "modify pending",
    Stage.MODIFIED: "modified",
    Stage.CANCEL_SENT: "cancel pending",
}
_WAITING: Final = {
    Stage.RECEIVED: "after market order req received",
    Stage.MODIFIED: "modify after market order req received",
    Stage.CANCELLED: "cancelled after market order",
}
_NAMESPACE: Final = uuid.UUID("6f1d9a52-0b6e-4f0a-9a3c-6b1f5f0c2d11")


def rupees(price: int) -> float:
    """A `Price` as the number that is sent."""
    return price / 10_000


def money(price: int) -> str:
    """A `Price` as text with two decimals; a minus sign is followed by a blank."""
    paise = abs(price) // 100
    return f"{'- ' if price < 0 and paise else ''}{paise // 100}.{paise % 100:02}"


def stamp(now: int) -> str:
    """`dd-MMM-yyyy HH:mm:ss`, IST."""
    return f"{datetime.fromtimestamp(now / 1000, IST):%d-%b-%Y %H:%M:%S}"


def unique_id(order: AccountOrder) -> str:
    """`uniqueorderid`."""
    return str(uuid.uuid5(_NAMESPACE, order.order_id))


def ids(order: AccountOrder) -> dict[str, object]:
    """What every write answers with."""
    return {"orderid": order.order_id, "uniqueorderid": unique_id(order)}


def status_text(order: AccountOrder, snapshot: Snapshot, market: Market) -> str:
    """The broker's word for a stage of an order."""
    if after_market(order, market) and not snapshot.at_exchange and snapshot.stage in _WAITING:
        return _WAITING[snapshot.stage]
    text = _STATUS.get(snapshot.stage)
    if text is not None:
        return text
    return "trigger pending" if snapshot.status is OrderStatus.TRIGGER_PENDING else "open"


def change_refused(order: AccountOrder, snapshot: Snapshot) -> bool:
    """Whether the stage tells that a change was refused: the order lives on as it was."""
    if snapshot.stage not in (Stage.LIVE, Stage.PARTLY_FILLED):
        return False
    at = next((n for n, known in enumerate(order.history) if known is snapshot), 0)
    return at > 0 and order.history[at - 1].stage is Stage.MODIFY_VALIDATING


def _contract(instrument: DayInstrument) -> dict[str, object]:
    return {
        "instrumenttype": instrument_type(instrument),
        "strikeprice": rupees(instrument.strike) if instrument.option else -1.0,
        "optiontype": option_word(instrument),
        "expirydate": expiry_word(instrument),
        "lotsize": str(instrument.lot),
    }


def order_row(
    order: AccountOrder, snapshot: Snapshot, market: Market, trades: Sequence[AccountTrade]
) -> dict[str, object]:
    """One order: a row of the book, the answer of `details`, or what the order socket tells."""
    text, kind = snapshot.message, snapshot.reject_kind
    if text and kind is not None:
        text = refusal_text(Refused(kind, text), order.sim.side)
    status = status_text(order, snapshot, market)
    rest = snapshot.quantity - snapshot.filled
    updated = stamp(snapshot.time)
    last = next((t for t in reversed(trades) if t.order is order), None) if snapshot.filled else None
    return {
        "variety": "AMO" if after_market(order, market) else varieties(order)[-1],
        "ordertype": order_type_word(snapshot.type),
        "producttype": product_of(order, market),
        "duration": order.validity,
        "price": rupees(snapshot.price),
        "triggerprice": rupees(snapshot.trigger),
        "quantity": str(snapshot.quantity),
        "disclosedquantity": str(order.disclosed_quantity),
        "squareoff": 0.0,
        "stoploss": 0.0,
        "trailingstoploss": 0.0,
        "tradingsymbol": angel_symbol(market.instrument),
        "transactiontype": SIDE_WORDS[order.sim.side],
        "exchange": order.exchange,
        "symboltoken": angel_token(market.instrument),
        **_contract(market.instrument),
        "cancelsize": str(rest if snapshot.stage is Stage.CANCELLED else 0),
        "averageprice": rupees(snapshot.average_price),
        "filledshares": str(snapshot.filled),
        "unfilledshares": str(rest),
        "orderid": order.order_id,
        "text": text,
        "status": status,
        "orderstatus": status,
        "updatetime": updated,
        "exchtime": updated if snapshot.at_exchange else "",
        "exchorderupdatetime": updated if snapshot.at_exchange else "",
        "fillid": last.trade_id if last is not None else "",
        "filltime": stamp(last.time)[12:] if last is not None else "",
        "parentorderid": "",
        "ordertag": order.tag,
        "uniqueorderid": unique_id(order),
        "exchangeorderid": order.exchange_order_id if snapshot.at_exchange else "",
    }


def as_text(row: dict[str, object]) -> dict[str, object]:
    """The row with every number as text (a quirk of some accounts)."""
    return {name: f"{value:.2f}" if isinstance(value, float) else value for name, value in row.items()}


def product_of(order: AccountOrder, market: Market) -> str:
    """The product as it was asked for; the exchange knows only intraday and the rest."""
    return order.product_word or product_word(order.product, market.instrument)


def trade_row(trade: AccountTrade, market: Market) -> dict[str, object]:
    """One trade; no token, no tag, no date."""
    order, instrument = trade.order, market.instrument
    return {
        "exchange": order.exchange,
        "producttype": product_of(order, market),
        "tradingsymbol": angel_symbol(instrument),
        "instrumenttype": instrument_type(instrument),
        "symbolgroup": "EQ" if instrument.kind == "EQ" else "XX",
        "strikeprice": money(instrument.strike) if instrument.option else "-1",
        "optiontype": option_word(instrument),
        "expirydate": expiry_word(instrument),
        "marketlot": str(instrument.lot),
        "precision": "2",
        "multiplier": "-1" if instrument.kind == "EQ" else "1",
        "tradevalue": money(trade.price * trade.quantity),
        "transactiontype": SIDE_WORDS[order.sim.side],
        "fillprice": money(trade.price),
        "fillsize": str(trade.quantity),
        "orderid": order.order_id,
        "fillid": trade.trade_id,
        "filltime": stamp(trade.time)[12:],
    }
