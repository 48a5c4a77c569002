"""Orders, trades, positions, holdings and funds as Dhan writes them, its misspelt keys and placeholders included."""

from datetime import datetime
from typing import Final

from algo_crds.contracts.clock import IST
from algo_market.instruments import DayInstrument
from algo_market.order_rules import Refused

from algo_simulator.dhan.errors import refusal_text
from algo_simulator.dhan.names import (
    SIDE_WORDS,
    display_name,
    option_word,
    order_type_word,
    product_word,
    security_id,
    segment_of,
    trading_symbol,
)
from algo_simulator.front import Caller
from algo_simulator.funds import realised_of, unrealised_of
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, AccountTrade, Position, Snapshot, Stage

NO_TIME: Final = "0001-01-01 00:00:00"
NO_DATE: Final = "0001-01-01"
NOTHING: Final = "NA"
_STATUS: Final = {
    Stage.RECEIVED: "TRANSIT",
    Stage.VALIDATING: "TRANSIT",
    Stage.SENT: "TRANSIT",
    Stage.PARTLY_FILLED: "PART_TRADED",
    Stage.FILLED: "TRADED",
    Stage.CANCELLED: "CANCELLED",
    Stage.REJECTED: "REJECTED",
}


def rupees(price: int) -> float:
    """A `Price` as the float that Dhan sends."""
    return price / 10_000


def stamp(at: int) -> str:
    """`YYYY-MM-DD hh:mm:ss`, IST."""
    return f"{datetime.fromtimestamp(at / 1000, IST):%Y-%m-%d %H:%M:%S}"


def status_word(order: AccountOrder, snapshot: Snapshot, market: Market) -> str:
    """Dhan's word for a stage; a live stop and a live limit order are both PENDING."""
    if snapshot.stage is Stage.CANCELLED and expired(order, snapshot, market):
        return "EXPIRED"
    word = _STATUS.get(snapshot.stage)
    return word or ("PART_TRADED" if snapshot.filled else "PENDING")


def expired(order: AccountOrder, snapshot: Snapshot, market: Market) -> bool:
    """Whether the end of the session took the order, and nobody's cancel."""
    asked = any(earlier.stage is Stage.CANCEL_SENT for earlier in order.history)
    return not asked and snapshot.time >= market.session.end_of_stops


def contract(instrument: DayInstrument, none: str | None = NO_DATE) -> dict[str, object]:
    """The three keys of a derivative, or their placeholders."""
    expiry = instrument.expiry
    return {
        "drvExpiryDate": none if expiry is None else expiry.isoformat(),
        "drvOptionType": option_word(instrument) or (None if none is None else NOTHING),
        "drvStrikePrice": rupees(instrument.strike),
    }


def named(instrument: DayInstrument) -> dict[str, object]:
    """The keys that name an instrument."""
    return {
        "exchangeSegment": segment_of(instrument),
        "tradingSymbol": trading_symbol(instrument),
        "securityId": str(security_id(instrument)),
    }


def reason(order: AccountOrder, snapshot: Snapshot) -> str:
    """What the order system says of the order; empty while all is well."""
    if snapshot.reject_kind is None:
        return snapshot.message
    return refusal_text(Refused(snapshot.reject_kind, snapshot.message), order.sim.side)


def order_row(order: AccountOrder, snapshot: Snapshot, market: Market) -> dict[str, object]:
    """One order object of the book."""
    instrument = market.instrument
    final = snapshot.stage in (Stage.CANCELLED, Stage.REJECTED, Stage.FILLED)
    return {
        "dhanClientId": order.client_id,
        "orderId": order.order_id,
        "exchangeOrderId": order.exchange_order_id if snapshot.at_exchange else "0",
        "correlationId": order.tag or NOTHING,
        "orderStatus": status_word(order, snapshot, market),
        "transactionType": SIDE_WORDS[order.sim.side],
        **named(instrument),
        "productType": order.product_word or product_word(order.product, instrument),
        "orderType": order_type_word(snapshot.type),
        "validity": order.validity,
        "quantity": snapshot.quantity,
        "disclosedQuantity": order.disclosed_quantity,
        "price": rupees(snapshot.price),
        "triggerPrice": rupees(snapshot.trigger),
        "afterMarketOrder": False,
        "boProfitValue": 0.0,
        "boStopLossValue": 0.0,
        "legName": NOTHING,
        "createTime": stamp(order.placed_at),
        "updateTime": stamp(snapshot.time),
        "exchangeTime": stamp(snapshot.time) if snapshot.at_exchange else NO_TIME,
        **contract(instrument),
        "omsErrorCode": "0",
        "omsErrorDescription": reason(order, snapshot),
        "algoId": "0",
        "remainingQuantity": 0 if final else snapshot.quantity - snapshot.filled,
        "averageTradedPrice": rupees(snapshot.average_price),
        "filledQty": snapshot.filled,
    }


def trade_row(trade: AccountTrade, market: Market) -> dict[str, object]:
    """One trade of the day."""
    order, instrument = trade.order, market.instrument
    return {
        "dhanClientId": order.client_id,
        "orderId": order.order_id,
        "exchangeOrderId": order.exchange_order_id,
        "exchangeTradeId": trade.trade_id,
        "transactionType": SIDE_WORDS[order.sim.side],
        **named(instrument),
        "productType": order.product_word or product_word(order.product, instrument),
        "orderType": order_type_word(order.sim.type),
        "customSymbol": display_name(instrument),
        "tradedQuantity": trade.quantity,
        "tradedPrice": rupees(trade.price),
        "createTime": stamp(order.placed_at),
        "updateTime": stamp(trade.time),
        "exchangeTime": stamp(trade.time),
        **contract(instrument, NOTHING),
    }


def history_row(trade: AccountTrade, market: Market) -> dict[str, object]:
    """One trade of the trade history; the simulator has no charges."""
    charges = ("sebiTax", "stt", "brokerageCharges", "serviceTax", "exchangeTransactionCharges", "stampDuty")
    row = trade_row(trade, market)
    row.update(createTime=NOTHING, updateTime=NOTHING, isin=market.instrument.isin, instrument="EQUITY")
    return {**row, **dict.fromkeys(charges, 0.0)}


def position_row(caller: Caller, position: Position, market: Market) -> dict[str, object]:
    """One position of the day; nothing is carried into a world's day."""
    last = market.stats.last or market.previous_close
    buy_average = _average(position.bought_value, position.bought)
    sell_average = _average(position.sold_value, position.sold)
    cost = buy_average if position.net >= 0 else sell_average
    kind = "CLOSED" if position.net == 0 else "LONG" if position.net > 0 else "SHORT"
    return {
        "dhanClientId": caller.account.spec.client_id,
        **named(market.instrument),
        "positionType": kind,
        "productType": product_word(position.product, market.instrument),
        "buyAvg": buy_average,
        "costPrice": cost,
        "buyQty": position.bought,
        "sellAvg": sell_average,
        "sellQty": position.sold,
        "netQty": position.net,
        "realizedProfit": rupees(realised_of(position)),
        "unrealizedProfit": rupees(unrealised_of(position, last)),
        "rbiReferenceRate": 1.0,
        "multiplier": 1,
        "carryForwardBuyQty": 0,
        "carryForwardSellQty": 0,
        "carryForwardBuyValue": 0.0,
        "carryForwardSellValue": 0.0,
        "dayBuyQty": position.bought,
        "daySellQty": position.sold,
        "dayBuyValue": rupees(position.bought_value),
        "daySellValue": rupees(position.sold_value),
        **contract(market.instrument),
        "drvOptionType": option_word(market.instrument),
        "crossCurrency": False,
    }


def _average(value: int, quantity: int) -> float:
    return round(value / quantity / 10_000, 4) if quantity else 0.0
