"""Positions, holdings, funds, margins and statements."""

from datetime import date
from typing import Final

import msgspec

from algo_simulator.dhan import bodies
from algo_simulator.dhan.bodies import Body
from algo_simulator.dhan.errors import failure, input_error
from algo_simulator.dhan.names import PRODUCTS, SIDES, security_id, trading_symbol
from algo_simulator.dhan.order_forms import read_market, read_product
from algo_simulator.dhan.rows import history_row, position_row, rupees
from algo_simulator.front import Caller
from algo_simulator.funds import funds_of, margin_needed
from algo_simulator.holdings import Held, holdings_of
from algo_simulator.orders import positions_of

MAX_LEGS: Final = 50
PAGE: Final = 20
_MULTI_KEYS: Final = (
    "total_margin",
    "span_margin",
    "exposure_margin",
    "equity_margin",
    "fo_margin",
    "commodity_margin",
)


def positions(caller: Caller) -> list[dict[str, object]]:
    """`GET /positions`; squared-off ones stay as CLOSED."""
    markets = caller.clock.world.markets
    return [position_row(caller, found, markets[found.key]) for found in positions_of(caller.account.trades)]


def holdings(caller: Caller) -> list[dict[str, object]]:
    """`GET /holdings`.

    Raises:
        DhanError: DH-1111 where there are none: the real API answers so instead of an empty array.
    """
    found = holdings_of(caller.clock.world.markets, caller.account)
    if not found:
        raise failure("DH-1111", "No holdings available")
    return [_holding(held) for held in found]


def _holding(held: Held) -> dict[str, object]:
    instrument = held.market.instrument
    return {
        "exchange": "ALL",
        "tradingSymbol": trading_symbol(instrument),
        "securityId": str(security_id(instrument)),
        "isin": instrument.isin,
        "totalQty": held.quantity + held.t1_quantity,
        "dpQty": held.quantity,
        "t1Qty": held.t1_quantity,
        "mtf_qty": 0,
        "mtf_tq_qty": 0,
        "availableQty": held.left,
        "collateralQty": 0,
        "avgCostPrice": rupees(held.average_price),
        "lastTradedPrice": rupees(held.last),
    }


def funds(caller: Caller) -> dict[str, object]:
    """`GET /fundlimit`, with the misspelt keys of the wire."""
    found = funds_of(caller.clock.world.markets, caller.account)
    return {
        "dhanClientId": caller.account.spec.client_id,
        "availabelBalance": rupees(found.free),
        "sodLimit": rupees(found.opening),
        "collateralAmount": 0.0,
        "receiveableAmount": 0.0,
        "utilizedAmount": rupees(found.used),
        "blockedPayoutAmount": 0.0,
        "withdrawableBalance": rupees(found.free),
    }


def margin(caller: Caller, body: Body) -> dict[str, object]:
    """`POST /margincalculator`.

    Raises:
        DhanError: a field is missing or cannot be used.
    """
    bodies.check_client(body, caller.account.spec.client_id)
    needed, leverage = _needed(caller, body)
    free = funds_of(caller.clock.world.markets, caller.account).free
    return {
        "totalMargin": rupees(needed),
        "spanMargin": 0.0,
        "exposureMargin": 0.0,
        "availableBalance": rupees(free),
        "variableMargin": rupees(needed),
        "insufficientBalance": rupees(max(needed - free, 0)),
        "brokerage": 0.0,
        "leverage": f"{leverage}X",
    }


def margin_of_many(caller: Caller, body: Body) -> dict[str, object]:
    """`POST /margincalculator/multi`: the sum, for the flat model knows no hedges. Amounts are strings.

    Raises:
        DhanError: no list of orders, or one that cannot be used.
    """
    bodies.check_client(body, caller.account.spec.client_id)
    try:
        legs = msgspec.convert(body.get("scripList", body.get("scripts")), list[dict[str, object]])
    except msgspec.ValidationError:
        raise input_error("Invalid scripList") from None
    if not 0 < len(legs) <= MAX_LEGS:
        raise input_error("Invalid scripList")
    sums = dict.fromkeys(_MULTI_KEYS, 0)
    for leg in legs:
        needed, _ = _needed(caller, leg)
        derivative = read_market(leg, caller.clock.world.markets).instrument.expiry is not None
        sums["total_margin"] += needed
        sums["fo_margin" if derivative else "equity_margin"] += needed
    return {**{name: f"{rupees(value):.2f}" for name, value in sums.items()}, "currency": "INR", "hedge_benefit": ""}


def _needed(caller: Caller, body: Body) -> tuple[int, int]:
    """(margin, leverage) of one order."""
    market = read_market(body, caller.clock.world.markets)
    bodies.word(body, "transactionType", tuple(SIDES))
    product = PRODUCTS[read_product(body, market)]
    price = bodies.price(body, "price", 0) or market.stats.last or market.previous_close
    value = price * bodies.quantity(body, "quantity")
    needed = margin_needed(product, value)
    return needed, round(value / needed) if needed else 1


def history(caller: Caller, since: str, until: str, page: str) -> list[dict[str, object]]:
    """`GET /trades/{from}/{to}/{page}`: the world's day is all the history there is; an empty page ends it.

    Raises:
        DhanError: no dates, or no page number.
    """
    try:
        begin, end, number = date.fromisoformat(since), date.fromisoformat(until), int(page)
    except ValueError:
        raise input_error("Invalid fromDate, toDate or page") from None
    day = caller.clock.world.spec.date
    if not begin <= day <= end or number < 0:
        return []
    trades = caller.account.trades[number * PAGE : (number + 1) * PAGE]
    markets = caller.clock.world.markets
    return [history_row(trade, markets[f"{trade.order.exchange}:{trade.order.symbol}"]) for trade in trades]


def ledger(caller: Caller, since: str, until: str) -> list[dict[str, object]]:
    """`GET /ledger`: the opening balance, where the world's day is asked for.

    Raises:
        DhanError: no dates.
    """
    try:
        begin, end = date.fromisoformat(since), date.fromisoformat(until)
    except ValueError:
        raise input_error("Invalid from-date or to-date") from None
    spec, day = caller.account.spec, caller.clock.world.spec.date
    if not begin <= day <= end:
        return []
    balance = f"{float(spec.cash):.2f}"
    row: dict[str, object] = {"dhanClientId": spec.client_id, "narration": "Opening balance"}
    row.update(voucherdate=f"{day:%b %d, %Y}", exchange="NSE-CAPITAL", voucherdesc="OPENING", vouchernumber="")
    return [{**row, "debit": "0.00", "credit": balance, "runbal": balance}]
