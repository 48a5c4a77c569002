"""Positions, holdings and funds as Kite writes them."""

from typing import Final

from algo_simulator.front import Caller
from algo_simulator.funds import funds_of
from algo_simulator.holdings import Held, holdings_of
from algo_simulator.market import Market
from algo_simulator.orders import Position, positions_of
from algo_simulator.zerodha.names import kite_symbol, kite_token
from algo_simulator.zerodha.rows import product_name, rupees

_ZERO_USE: Final = dict.fromkeys(
    (
        "exposure",
        "m2m_realised",
        "m2m_unrealised",
        "option_premium",
        "payout",
        "span",
        "holding_sales",
        "turnover",
        "liquid_collateral",
        "stock_collateral",
        "delivery",
    ),
    0,
)


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
        "product": product_name(position.product, market),
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


def holdings(caller: Caller) -> list[dict[str, object]]:
    """`GET /portfolio/holdings`."""
    return [_holding_row(held) for held in holdings_of(caller.clock.world.markets, caller.account)]


def compact_holdings(caller: Caller) -> list[dict[str, object]]:
    """`GET /portfolio/holdings/compact`: what is held, without prices."""
    names = ("exchange", "tradingsymbol", "instrument_token", "isin", "quantity", "t1_quantity")
    return [{name: row[name] for name in names} for row in holdings(caller)]


def holdings_summary(caller: Caller) -> dict[str, object]:
    """`GET /portfolio/holdings/summary`: totals over all holdings."""
    found = holdings_of(caller.clock.world.markets, caller.account)
    invested = sum(held.average_price * held.left for held in found)
    value = sum(held.last * held.left for held in found)
    today = sum((held.last - held.close) * held.left for held in found)
    before = value - today
    return {
        "invested_amount": rupees(invested),
        "current_value": rupees(value),
        "total_pnl": rupees(value - invested),
        "total_pnl_percent": (value - invested) / invested * 100 if invested else 0,
        "today_pnl": rupees(today),
        "today_pnl_percent": today / before * 100 if before else 0,
    }


def _holding_row(held: Held) -> dict[str, object]:
    instrument = held.market.instrument
    settled = max(held.quantity - held.sold, 0)
    return {
        "tradingsymbol": kite_symbol(instrument),
        "exchange": instrument.exchange,
        "instrument_token": kite_token(instrument),
        "isin": instrument.isin,
        "product": "CNC",
        "price": 0,
        "quantity": settled,
        "used_quantity": held.sold,
        "t1_quantity": held.t1_quantity,
        "realised_quantity": settled,
        "authorised_quantity": 0,
        "authorised_date": None,
        "authorisation": {},
        "opening_quantity": held.quantity + held.t1_quantity,
        "short_quantity": 0,
        "collateral_quantity": 0,
        "collateral_type": None,
        "discrepancy": False,
        "average_price": rupees(held.average_price),
        "last_price": rupees(held.last),
        "close_price": rupees(held.close),
        "pnl": rupees(held.gain),
        "day_change": rupees(held.last - held.close),
        "day_change_percentage": (held.last - held.close) / held.close * 100 if held.close else 0,
        "mtf": {"quantity": 0, "used_quantity": 0, "average_price": 0, "value": 0, "initial_margin": 0},
    }


def funds(caller: Caller) -> dict[str, object]:
    """The equity side of `GET /user/margins`; in every published sample `net = cash - debits = live_balance`."""
    now = funds_of(caller.clock.world.markets, caller.account)
    cash, free = rupees(now.opening), rupees(now.free)
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
        "utilised": {**_ZERO_USE, "debits": cash - free},
    }
