"""Positions, holdings, funds and the margin calculator, in the broker's names."""

from typing import Final

import msgspec

from algo_simulator.angelone.errors import bad_input, refusal
from algo_simulator.angelone.names import (
    PRODUCTS,
    SIDES,
    angel_symbol,
    angel_token,
    expiry_word,
    find_market,
    instrument_type,
    option_word,
    product_word,
    short_name,
)
from algo_simulator.angelone.rows import money, rupees
from algo_simulator.front import Caller
from algo_simulator.funds import funds_of, last_price, margin_needed, realised_of, unrealised_of
from algo_simulator.holdings import Held, holdings_of
from algo_simulator.market import Market
from algo_simulator.orders import Position, positions_of

MAX_MARGIN_ROWS: Final = 50
_ZERO: Final = "0.00"


def positions(caller: Caller) -> list[dict[str, object]] | None:
    """`getPosition`: everything is text; null when there is none."""
    markets = caller.clock.world.markets
    return [
        position_row(position, markets[position.key], last_price(markets, position.key))
        for position in positions_of(caller.account.trades)
    ] or None


def position_row(position: Position, market: Market, last: int) -> dict[str, object]:
    """One position; nothing is carried into a world's day."""
    instrument = market.instrument
    bought, sold = money(position.bought_value), money(position.sold_value)
    buy_average = position.bought_value // position.bought if position.bought else 0
    sell_average = position.sold_value // position.sold if position.sold else 0
    value = position.sold_value - position.bought_value
    net_price = money(abs(value) // abs(position.net)) if position.net else _ZERO
    realised, unrealised = realised_of(position), unrealised_of(position, last)
    return {
        "exchange": position.exchange,
        "symboltoken": angel_token(instrument),
        "producttype": product_word(position.product, instrument),
        "tradingsymbol": angel_symbol(instrument),
        "symbolname": short_name(instrument),
        "instrumenttype": instrument_type(instrument),
        **dict.fromkeys(("priceden", "pricenum", "genden", "gennum"), "1"),
        "precision": "2",
        "multiplier": "-1" if instrument.kind == "EQ" else "1",
        "boardlotsize": "1",
        "buyqty": str(position.bought),
        "sellqty": str(position.sold),
        "buyamount": bought,
        "sellamount": sold,
        "symbolgroup": "EQ" if instrument.kind == "EQ" else "XX",
        "strikeprice": money(instrument.strike) if instrument.option else "-1",
        "optiontype": option_word(instrument),
        "expirydate": expiry_word(instrument),
        "lotsize": str(instrument.lot),
        **dict.fromkeys(("cfbuyqty", "cfsellqty"), "0"),
        **dict.fromkeys(("cfbuyamount", "cfsellamount"), _ZERO),
        "buyavgprice": money(buy_average),
        "sellavgprice": money(sell_average),
        "avgnetprice": net_price,
        "netvalue": money(value),
        "netqty": str(position.net),
        "totalbuyvalue": bought,
        "totalsellvalue": sold,
        **dict.fromkeys(("cfbuyavgprice", "cfsellavgprice"), _ZERO),
        "totalbuyavgprice": money(buy_average),
        "totalsellavgprice": money(sell_average),
        "netprice": net_price,
        "ltp": money(last),
        "close": money(market.previous_close),
        "pnl": money(realised + unrealised),
        "realised": money(realised),
        "unrealised": money(unrealised),
    }


def holdings(caller: Caller) -> list[dict[str, object]] | None:
    """`getHolding`: numbers, not text; null when there is none."""
    return [_holding_row(held) for held in holdings_of(caller.clock.world.markets, caller.account)] or None


def all_holdings(caller: Caller) -> dict[str, object] | None:
    """`getAllHolding`: the holdings and their sums; null when there is none."""
    found = holdings_of(caller.clock.world.markets, caller.account)
    if not found:
        return None
    value = sum(held.last * held.left for held in found)
    invested = sum(held.average_price * held.left for held in found)
    totals = {
        "totalholdingvalue": rupees(value),
        "totalinvvalue": rupees(invested),
        "totalprofitandloss": rupees(value - invested),
        "totalpnlpercentage": round(100 * (value - invested) / invested, 2) if invested else 0.0,
    }
    return {"holdings": [_holding_row(held) for held in found], "totalholding": totals}


def _holding_row(held: Held) -> dict[str, object]:
    instrument = held.market.instrument
    gain = 100 * (held.last - held.average_price) / held.average_price
    return {
        "tradingsymbol": angel_symbol(instrument),
        "exchange": instrument.exchange,
        "isin": instrument.isin,
        "t1quantity": held.t1_quantity,
        "realisedquantity": held.quantity,
        "quantity": held.left,
        "authorisedquantity": 0,
        "product": "DELIVERY",
        "collateralquantity": None,
        "collateraltype": None,
        "haircut": 0,
        "averageprice": rupees(held.average_price),
        "ltp": rupees(held.last),
        "symboltoken": angel_token(instrument),
        "close": rupees(held.close),
        "profitandloss": round(rupees(held.gain)),
        "pnlpercentage": round(gain, 2),
    }


def funds(caller: Caller) -> dict[str, object]:
    """`getRMS`: `availablecash` behaves like `net`, and the two m2m figures stay zero."""
    found = funds_of(caller.clock.world.markets, caller.account)
    free = _four(found.free)
    nothing = "0.0000"
    return {
        "net": free,
        "availablecash": free,
        "availableintradaypayin": nothing,
        "availablelimitmargin": nothing,
        "collateral": nothing,
        "m2munrealized": nothing,
        "m2mrealized": nothing,
        "utiliseddebits": _four(found.used),
        "utilisedspan": None,
        "utilisedoptionpremium": None,
        "utilisedholdingsales": None,
        "utilisedexposure": None,
        "utilisedturnover": None,
        "utilisedpayout": nothing,
    }


def _four(price: int) -> str:
    sign = "-" if price < 0 else ""
    return f"{sign}{abs(price) // 10_000}.{abs(price) % 10_000:04}"


class _Wanted(msgspec.Struct, frozen=True, kw_only=True):
    exchange: str
    token: str
    product_type: str = msgspec.field(name="productType")
    trade_type: str = msgspec.field(name="tradeType")
    qty: int
    price: float = 0
    order_type: str = msgspec.field(name="orderType", default="LIMIT")


class _Batch(msgspec.Struct, frozen=True):
    positions: list[_Wanted]


def margin(caller: Caller, body: bytes) -> dict[str, object]:
    """`margin/v1/batch`: a flat model (a fifth for intraday), in the broker's components.

    Raises:
        AngelError: no positions, too many, or one that cannot be read.
    """
    try:
        wanted = msgspec.json.decode(body, type=_Batch, strict=False).positions
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise bad_input("Invalid positions") from None
    if not 0 < len(wanted) <= MAX_MARGIN_ROWS:
        raise bad_input(f"Number of positions must be 1 to {MAX_MARGIN_ROWS}")
    parts = dict.fromkeys(("netPremium", "spanMargin", "marginBenefit", "deliveryMargin", "nonNFOMargin"), 0.0)
    for row in wanted:
        part, needed = _margin_of(caller, row)
        parts[part] = round(parts[part] + needed, 2)
    return {
        "totalMarginRequired": round(sum(parts.values()), 2),
        "marginComponents": {**parts, "totOptionsPremium": parts["netPremium"]},
        "marginBreakup": [],
        "optionsBuy": {},
    }


def _margin_of(caller: Caller, row: _Wanted) -> tuple[str, float]:
    markets = caller.clock.world.markets
    market = find_market(markets, row.exchange, row.token)
    if market is None:
        raise refusal("AB1018", "Failed to get symbol details")
    product = PRODUCTS.get(row.product_type)
    if product is None or row.trade_type not in SIDES or row.qty <= 0:
        raise refusal("AB1012", "Invalid Product Type") if product is None else bad_input("Invalid positions")
    price = row.price if row.price > 0 else rupees(last_price(markets, market.instrument.key))
    value = round(price * row.qty * 10_000)
    if market.instrument.option and row.trade_type == "BUY":
        return "netPremium", rupees(value)
    needed = rupees(margin_needed(product, value))
    if market.instrument.expiry is not None:
        return "spanMargin", needed
    return ("deliveryMargin" if row.product_type == "DELIVERY" else "nonNFOMargin"), needed
