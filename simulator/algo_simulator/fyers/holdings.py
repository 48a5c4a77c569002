"""`GET /holdings`: settled shares as HLD rows, shares still to be settled as T1 rows."""

from algo_simulator.front import Caller
from algo_simulator.fyers.names import exchange_code, fyers_symbol, fyers_token, segment_code
from algo_simulator.fyers.rows import rupees
from algo_simulator.holdings import Held, holdings_of


def holdings(caller: Caller) -> dict[str, object]:
    """The holdings and their sum."""
    held = holdings_of(caller.clock.world.markets, caller.account)
    parts = [(one, shares, kind) for one in held for shares, kind in _parts(one)]
    rows = [_row(one, shares, kind, number) for number, (one, shares, kind) in enumerate(parts, start=1)]
    invested = sum(shares * one.average_price for one, shares, _ in parts)
    value = sum(shares * one.last for one, shares, _ in parts)
    overall = {
        "count_total": len(rows),
        "total_investment": rupees(invested),
        "total_current_value": rupees(value),
        "total_pl": rupees(value - invested),
        "pnl_perc": round((value - invested) / invested * 100, 2) if invested else 0,
    }
    return {"holdings": rows, "overall": overall}


def _parts(one: Held) -> list[tuple[int, str]]:
    return [(shares, kind) for shares, kind in ((one.quantity, "HLD"), (one.t1_quantity, "T1")) if shares]


def _row(one: Held, shares: int, kind: str, number: int) -> dict[str, object]:
    instrument = one.market.instrument
    sold = min(one.sold, shares) if kind == "HLD" else max(0, one.sold - one.quantity)
    return {
        "holdingType": kind,
        "quantity": shares,
        "costPrice": rupees(one.average_price),
        "marketVal": rupees(shares * one.last),
        "remainingQuantity": shares - sold,
        "pl": rupees(shares * (one.last - one.average_price)),
        "ltp": rupees(one.last),
        "id": number,
        "fyToken": fyers_token(instrument),
        "exchange": exchange_code(instrument),
        "segment": segment_code(instrument),
        "symbol": fyers_symbol(instrument),
        "isin": instrument.isin,
        "qty_t1": shares if kind == "T1" else 0,
        "remainingPledgeQuantity": shares - sold if kind == "HLD" else 0,
        "collateralQuantity": 0,
    }
