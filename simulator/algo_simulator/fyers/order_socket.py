"""The order socket: orders, trades and positions as JSON text, for whoever subscribed; nothing is replayed.

A client is known by the handshake's `authorization` header (403 for a bad token); it says `ping`, we say `pong`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from algo_simulator.accounts import ORDER_STREAM, Account
from algo_simulator.fyers.names import (
    exchange_code,
    fyers_symbol,
    fyers_token,
    instrument_code,
    segment_code,
)
from algo_simulator.fyers.positions import amounts, position_id
from algo_simulator.fyers.rows import (
    FILLED,
    PENDING,
    TRANSIT,
    fyers_uuid,
    message_of,
    moment,
    product_name,
    rupees,
    shown_tag,
    side_code,
    source_of,
    status_code,
    type_code,
)
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, AccountTrade, Position, Snapshot, Stage, positions_of
from algo_simulator.sockets import Connection, Dialect, Message

SUBSCRIBED: Final = '{"code":1605,"message":"Successfully subscribed","s":"ok"}'
UNSUBSCRIBED: Final = '{"code":1605,"message":"Successfully unsubscribed","s":"ok"}'
BAD_MESSAGE: Final = '{"code":-50,"message":"invalid message","s":"error"}'
KINDS: Final = ("orders", "trades", "positions", "edis", "pricealerts", "login")
_TOLD: Final = {
    Stage.SENT: "NEW",
    Stage.LIVE: "NEW",
    Stage.PARTLY_FILLED: "PARTIAL_FILL",
    Stage.FILLED: "FILL",
    Stage.CANCELLED: "CANCELED",
    Stage.REJECTED: "REJECTED",
    Stage.MODIFIED: "REPLACED",
}
_INTERNAL: Final = {TRANSIT: 4, PENDING: 20, FILLED: 90}
"""`ord_status`: the order system's own numbers, of which clients must make nothing."""


def dialect() -> Dialect:
    """The socket's behaviour; a connection's `state` is the set of what it subscribed to."""
    return Dialect(received=_received, opened=_opened, update=_update, stream=ORDER_STREAM)


def _opened(connection: Connection) -> None:
    connection.state = set()


def _received(connection: Connection, message: Message) -> None:
    if message == "ping":
        connection.put("pong")
        return
    try:
        wanted = msgspec.json.decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        wanted = None
    if not isinstance(wanted, dict) or wanted.get("T") != "SUB_ORD" or wanted.get("SUB_T") not in (1, -1):
        connection.put(BAD_MESSAGE)
        return
    kinds = {kind for kind in _flat(wanted.get("SLIST")) if kind in KINDS}
    subscribed: set[str] = connection.state
    connection.state = subscribed | kinds if wanted["SUB_T"] == 1 else subscribed - kinds
    connection.put(SUBSCRIBED if wanted["SUB_T"] == 1 else UNSUBSCRIBED)


def _flat(value: Any) -> Iterator[str]:
    """The words of a list, also of one in the list: the SDK nests it when it unsubscribes from general news."""
    for word in value if isinstance(value, list) else ():
        if isinstance(word, str):
            yield word
        elif isinstance(word, list):
            yield from (inner for inner in word if isinstance(inner, str))


def _update(connection: Connection, order: AccountOrder, snapshot: Snapshot) -> Sequence[Message]:
    clock, account, wanted = connection.clock, connection.account, connection.state
    if snapshot.stage not in _TOLD or clock is None or account is None:
        return ()
    market = clock.world.markets[f"{order.exchange}:{order.symbol}"]
    told: list[tuple[str, object]] = [("orders", order_update(order, snapshot, market))]
    fills = _new_fills(account, order, snapshot)
    told += [("trades", trade_update(fill, market)) for fill in fills]
    if fills:
        told += [("positions", position_update(found, market)) for found in _position(account, order)]
    return [msgspec.json.encode({kind: payload, "s": "ok"}).decode() for kind, payload in told if kind in wanted]


def _new_fills(account: Account, order: AccountOrder, snapshot: Snapshot) -> list[AccountTrade]:
    """The trades that this stage has and the one before had not."""
    known = order.history[-2].filled if len(order.history) > 1 else 0
    if snapshot.filled <= known:
        return []
    fills, seen = list[AccountTrade](), 0
    for trade in account.trades:
        if trade.order is order:
            seen += trade.quantity
            if seen > known:
                fills.append(trade)
    return fills


def _position(account: Account, order: AccountOrder) -> list[Position]:
    key = (order.exchange, order.symbol, order.product)
    return [found for found in positions_of(account.trades) if (found.exchange, found.symbol, found.product) == key]


def order_update(order: AccountOrder, snapshot: Snapshot, market: Market) -> dict[str, object]:
    """The payload of `orders`; the status that counts is `org_ord_status`."""
    instrument, status = market.instrument, status_code(snapshot, market)
    at_exchange = moment(snapshot.time) if snapshot.at_exchange else ""
    return {
        "client_id": order.client_id,
        "exchange": exchange_code(instrument),
        "segment": segment_code(instrument),
        "fy_token": fyers_token(instrument),
        "id": order.order_id,
        "id_fyers": fyers_uuid(order.order_id),
        "id_parent": "",
        "id_exchange": order.exchange_order_id if snapshot.at_exchange else "",
        "instrument": instrument_code(instrument),
        "lot_size": instrument.lot,
        "tick_size": rupees(instrument.tick_size),
        "offline_flag": False,
        "oms_flag": "K",
        "oms_msg": message_of(order, snapshot),
        "ord_source": source_of(order),
        "ord_status": _INTERNAL.get(status, 90 + status),
        "org_ord_status": status,
        "ord_type": type_code(snapshot.type),
        "ordertag": shown_tag(order),
        "price_limit": rupees(snapshot.price),
        "price_stop": rupees(snapshot.trigger),
        "price_traded": rupees(snapshot.average_price),
        "product_type": product_name(order.product, instrument),
        "qty": snapshot.quantity,
        "qty_filled": snapshot.filled,
        "qty_remaining": snapshot.quantity - snapshot.filled if status in (PENDING, TRANSIT) else 0,
        "report_type": _TOLD[snapshot.stage],
        "status_msg": "",
        "symbol": fyers_symbol(instrument),
        "symbol_desc": instrument.name,
        "symbol_exch": instrument.underlying or instrument.symbol,
        "time_oms": moment(order.placed_at),
        "time_epoch_oms": order.placed_at // 1000,
        "time_exch": at_exchange,
        "update_time_exch": at_exchange,
        "update_time_epoch_oms": snapshot.time // 1000,
        "tran_side": side_code(order.sim.side),
        "validity": order.validity,
        "take_profit": 0,
        "stop_loss": 0,
        "leg_type": 0,
    }


def trade_update(trade: AccountTrade, market: Market) -> dict[str, object]:
    """The payload of `trades`."""
    order, instrument = trade.order, market.instrument
    return {
        "client_id": order.client_id,
        "exchange": exchange_code(instrument),
        "segment": segment_code(instrument),
        "fy_token": fyers_token(instrument),
        "id": order.order_id,
        "id_fill": f"{order.order_id}-{trade.trade_id}",
        "id_fyers": fyers_uuid(order.order_id),
        "id_exchange": order.exchange_order_id,
        "ord_type": type_code(order.sim.type),
        "ordertag": shown_tag(order),
        "price_traded": rupees(trade.price),
        "qty_traded": trade.quantity,
        "traded_val": rupees(trade.price * trade.quantity),
        "product_type": product_name(order.product, instrument),
        "fill_time": moment(trade.time),
        "symbol": fyers_symbol(instrument),
        "tran_side": side_code(order.sim.side),
    }


def position_update(position: Position, market: Market) -> dict[str, object]:
    """The payload of `positions`."""
    instrument, net, money = market.instrument, position.net, amounts(position, market)
    return {
        "symbol": fyers_symbol(instrument),
        "id": position_id(position, market),
        "fy_token": fyers_token(instrument),
        "exchange": exchange_code(instrument),
        "segment": segment_code(instrument),
        "product_type": product_name(position.product, instrument),
        "tran_side": (net > 0) - (net < 0),
        "net_qty": net,
        "qty": abs(net),
        "net_avg": money["netAvg"],
        "buy_avg": money["buyAvg"],
        "buy_qty": position.bought,
        "buy_val": rupees(position.bought_value),
        "sell_avg": money["sellAvg"],
        "sell_qty": position.sold,
        "sell_val": rupees(position.sold_value),
        "day_buy_qty": position.bought,
        "day_sell_qty": position.sold,
        "cf_buy_qty": 0,
        "cf_sell_qty": 0,
        "pl_realized": money["realized_profit"],
        "pl_unrealized": money["unrealized_profit"],
        "pl_total": money["pl"],
        "qty_multiplier": 1,
        "rbirefrate": 1,
        "cross_curr_flag": "",
        "take_profit": 0,
        "stop_loss": 0,
        "leg_type": 0,
    }
