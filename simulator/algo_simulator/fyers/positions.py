"""Positions: rows, exits and conversion, with Fyers' arithmetic and ids (`<symbol>-<productType>`)."""

from typing import Final

from algo_crds.contracts.orders import FINAL, OrderType, Side

from algo_simulator.front import Caller
from algo_simulator.fyers.bodies import read_json
from algo_simulator.fyers.errors import FyersError, bad_field
from algo_simulator.fyers.names import exchange_code, fyers_symbol, fyers_token, segment_code
from algo_simulator.fyers.rows import product_name, rupees, side_code
from algo_simulator.market import Market
from algo_simulator.orders import AccountOrder, Position, positions_of
from algo_simulator.protection import protected_limit

BAD_POSITION: Final = -53
NO_POSITION: Final = -352


def position_id(position: Position, market: Market) -> str:
    """`NSE:SBIN-EQ-INTRADAY`."""
    return f"{fyers_symbol(market.instrument)}-{product_name(position.product, market.instrument)}"


def amounts(position: Position, market: Market) -> dict[str, float]:
    """Realized, unrealized and whole profit, and the average of what is still held (rupees)."""
    net, last = position.net, market.stats.last or market.previous_close
    bought = position.bought_value / position.bought if position.bought else 0.0
    sold = position.sold_value / position.sold if position.sold else 0.0
    closed = min(position.bought, position.sold)
    average = bought if net > 0 else sold if net < 0 else 0.0
    realized = closed * (sold - bought) / 10_000
    unrealized = net * (last - average) / 10_000 if net else 0.0
    return {
        "buyAvg": round(bought / 10_000, 4),
        "sellAvg": round(sold / 10_000, 4),
        "netAvg": round(average / 10_000, 4),
        "realized_profit": round(realized, 2),
        "unrealized_profit": round(unrealized, 2),
        "pl": round(realized + unrealized, 2),
    }


def position_row(position: Position, market: Market) -> dict[str, object]:
    """One position; one that was squared off stays with a net of zero and side 0."""
    instrument, net, money = market.instrument, position.net, amounts(position, market)
    return {
        "id": position_id(position, market),
        "symbol": fyers_symbol(instrument),
        "fyToken": fyers_token(instrument),
        "exchange": exchange_code(instrument),
        "segment": segment_code(instrument),
        "productType": product_name(position.product, instrument),
        "side": (net > 0) - (net < 0),
        "netQty": net,
        "qty": abs(net),
        "avgPrice": money["netAvg"],
        "buyQty": position.bought,
        "buyVal": rupees(position.bought_value),
        "sellQty": position.sold,
        "sellVal": rupees(position.sold_value),
        "ltp": rupees(market.stats.last or market.previous_close),
        "slNo": 0,
        "crossCurrency": "",
        "rbiRefRate": 1,
        "qtyMulti_com": 1,
        "cfBuyQty": 0,
        "cfSellQty": 0,
        "dayBuyQty": position.bought,
        "daySellQty": position.sold,
        **money,
    }


def _all(caller: Caller) -> list[tuple[Position, Market]]:
    markets = caller.clock.world.markets
    return [(found, markets[f"{found.exchange}:{found.symbol}"]) for found in positions_of(caller.account.trades)]


def positions(caller: Caller) -> dict[str, object]:
    """`GET /positions`."""
    found = _all(caller)
    money = [amounts(position, market) for position, market in found]
    overall: dict[str, object] = {
        "count_total": len(found),
        "count_open": sum(1 for position, _ in found if position.net),
        "pl_total": round(sum(row["pl"] for row in money), 2),
        "pl_realized": round(sum(row["realized_profit"] for row in money), 2),
        "pl_unrealized": round(sum(row["unrealized_profit"] for row in money), 2),
    }
    return {"netPositions": [position_row(position, market) for position, market in found], "overall": overall}


def exit_positions(caller: Caller, body: bytes) -> dict[str, object]:
    """`DELETE /positions`: all, by id, or by segment, side and product; or only the pending orders.

    Raises:
        FyersError: nothing is open that was named.
    """
    form = read_json(body)
    if form is None or form == {}:
        form = {"exit_all": 1}
    if not isinstance(form, dict):
        raise bad_field("The request's body must be a JSON object")
    wanted = form.get("id", [])
    ids = [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []
    if form.get("pending_orders_cancel"):
        return _cancel_pending(caller, [str(one) for one in ids])
    chosen = [(position, market) for position, market in _all(caller) if _named(form, ids, position, market)]
    known = {position_id(position, market) for position, market in _all(caller)}
    if any(one not in known for one in ids):
        raise FyersError(400, BAD_POSITION, "Please provide a valid position id")
    open_ones = [(position, market) for position, market in chosen if position.net]
    if not open_ones:
        raise FyersError(400, NO_POSITION, "No open positions to exit")
    world = caller.clock.world

    def close() -> None:
        for position, market in open_ones:
            _close(caller, position, market)

    world.defer(close)
    return {"message": "The position is closed."}


def _named(form: dict[str, object], ids: list[object], position: Position, market: Market) -> bool:
    if ids:
        return position_id(position, market) in ids
    if form.get("exit_all"):
        return True
    filters = {
        "segment": segment_code(market.instrument),
        "side": side_code(Side.BUY if position.net > 0 else Side.SELL),
        "productType": product_name(position.product, market.instrument),
    }
    given = {name: form[name] for name in filters if isinstance(form.get(name), list)}
    return bool(given) and all(filters[name] in values for name, values in given.items())  # type: ignore[operator]


def _close(caller: Caller, position: Position, market: Market) -> None:
    world = caller.clock.world
    side = Side.SELL if position.net > 0 else Side.BUY
    order = world.exchange.new_order(
        caller.account,
        market,
        side=side,
        type=OrderType.LIMIT,
        quantity=abs(position.net),
        price=protected_limit(market, side),
        product=position.product,
        now=world.now,
    )
    world.exchange.submit(order, world.now)


def _cancel_pending(caller: Caller, ids: list[str]) -> dict[str, object]:
    world = caller.clock.world

    def mine(order: AccountOrder) -> bool:
        market = world.markets[f"{order.exchange}:{order.symbol}"]
        name = f"{fyers_symbol(market.instrument)}-{product_name(order.product, market.instrument)}"
        return order.sim.status not in FINAL and (not ids or name in ids)

    live = [order for order in caller.account.orders.values() if mine(order)]

    def withdraw() -> None:
        for order in live:
            world.exchange.cancel(order, world.now)

    world.defer(withdraw)
    return {"message": "The pending orders are cancelled."}
