"""Market quotes and the option chain: JSON keyed by segment and security id."""

from datetime import datetime
from typing import Final

import msgspec
from algo_crds.contracts.clock import IST

from algo_simulator.depth import Level
from algo_simulator.dhan import bodies
from algo_simulator.dhan.errors import data_failure
from algo_simulator.dhan.names import SEGMENT_CODES, find_market, option_word, security_id
from algo_simulator.dhan.rows import rupees
from algo_simulator.front import Caller
from algo_simulator.market import Market
from algo_simulator.quotes import quote_of

MAX_INSTRUMENTS: Final = 1_000
NEVER_TRADED: Final = "01/01/1980 00:00:00"
KINDS: Final = ("ltp", "ohlc", "quote")


def quotes(caller: Caller, kind: str, raw: bytes) -> dict[str, object]:
    """`POST /marketfeed/{ltp,ohlc,quote}`: by segment and id; ids that are unknown or silent are missing.

    Raises:
        DhanError: in the quotes family's shape: no such body, nothing asked, too many instruments.
    """
    wanted = _wanted(raw)
    if not wanted:
        raise data_failure(814, "Invalid Request")
    if len(wanted) > MAX_INSTRUMENTS:
        raise data_failure(804, "Requested number of instruments exceeds limit")
    found: dict[str, dict[str, object]] = {}
    for segment, identity in wanted:
        market = find_market(caller.clock.world.markets, segment, identity)
        if market is not None and (market.stats.last or market.previous_close):
            found.setdefault(segment, {})[identity] = quote(kind, market)
    return {"data": found, "status": "success"}


def _wanted(raw: bytes) -> list[tuple[str, str]]:
    """(segment, id) of every instrument; other members of the body, as the SDK's client id, are ignored."""
    try:
        body = msgspec.json.decode(raw, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise data_failure(814, "Invalid Request") from None
    wanted = []
    for segment, identities in body.items():
        if segment not in SEGMENT_CODES:
            continue
        if not isinstance(identities, list):
            raise data_failure(814, "Invalid Request")
        for identity in identities:
            text = str(identity)
            if isinstance(identity, bool) or not (text.isascii() and text.isdecimal()):
                raise data_failure(813, "Invalid SecurityId")
            wanted.append((segment, text))
    return wanted


def quote(kind: str, market: Market) -> dict[str, object]:
    """One instrument's figures; `kind` is one of `KINDS`."""
    now = quote_of(market)
    row: dict[str, object] = {"last_price": rupees(now.last)}
    if kind == "ltp":
        return row
    prices = {"open": now.open, "close": now.close, "high": now.high, "low": now.low}
    row["ohlc"] = {name: rupees(price) for name, price in prices.items()}
    if kind == "ohlc":
        return row
    traded = datetime.fromtimestamp(now.last_time / 1000, IST)
    index = market.instrument.kind == "INDEX"
    return {
        **row,
        "average_price": rupees(now.average),
        "buy_quantity": 0 if index else now.buy_quantity,
        "sell_quantity": 0 if index else now.sell_quantity,
        "depth": {"buy": [] if index else _depth(now.bids), "sell": [] if index else _depth(now.asks)},
        "last_quantity": now.last_quantity,
        "last_trade_time": f"{traded:%d/%m/%Y %H:%M:%S}" if now.last_time else NEVER_TRADED,
        "lower_circuit_limit": rupees(now.lower_circuit),
        "upper_circuit_limit": rupees(now.upper_circuit),
        "net_change": rupees(now.change),
        "oi": now.open_interest,
        "oi_day_high": now.open_interest,
        "oi_day_low": now.open_interest,
        "volume": now.volume,
    }


def _depth(side: list[Level]) -> list[dict[str, object]]:
    return [{"quantity": quantity, "orders": orders, "price": rupees(price)} for quantity, price, orders in side]


def expiries(caller: Caller, raw: bytes) -> dict[str, object]:
    """`POST /optionchain/expirylist`: the expiries of the world's options on an underlying.

    Raises:
        DhanError: no such underlying.
    """
    options = _options(caller, bodies.read_body(raw))
    days = sorted({market.instrument.expiry for market in options if market.instrument.expiry is not None})
    return {"data": [day.isoformat() for day in days], "status": "success"}


def chain(caller: Caller, raw: bytes) -> dict[str, object]:
    """`POST /optionchain`: both sides of every strike that the world trades. Greeks are not computed.

    Raises:
        DhanError: no such underlying or expiry.
    """
    body = bodies.read_body(raw)
    expiry = bodies.text(body, "Expiry")
    options = [market for market in _options(caller, body) if str(market.instrument.expiry) == expiry]
    if not options:
        raise data_failure(811, "Invalid Expiry Date")
    strikes: dict[str, dict[str, object]] = {}
    for market in sorted(options, key=lambda found: found.instrument.strike):
        side = "ce" if option_word(market.instrument) == "CALL" else "pe"
        strikes.setdefault(f"{market.instrument.strike / 10_000:.6f}", {})[side] = _chain_side(market)
    under = _underlying(caller, body)
    return {
        "data": {"last_price": rupees(under.stats.last or under.previous_close), "oc": strikes},
        "status": "success",
    }


def _underlying(caller: Caller, body: bodies.Body) -> Market:
    segment, identity = bodies.text(body, "UnderlyingSeg"), bodies.text(body, "UnderlyingScrip")
    market = find_market(caller.clock.world.markets, segment, identity)
    if market is None:
        raise data_failure(813, "Invalid SecurityId")
    return market


def _options(caller: Caller, body: bodies.Body) -> list[Market]:
    under = _underlying(caller, body).instrument.symbol
    markets = caller.clock.world.markets.values()
    return [market for market in markets if market.instrument.option and market.instrument.underlying == under]


def _chain_side(market: Market) -> dict[str, object]:
    now = quote_of(market)
    return {
        "average_price": rupees(now.average),
        "greeks": {"delta": 0, "theta": 0, "gamma": 0, "vega": 0},
        "implied_volatility": 0,
        "last_price": rupees(now.last),
        "oi": now.open_interest,
        "previous_close_price": rupees(now.close),
        "previous_oi": 0,
        "previous_volume": 0,
        "security_id": security_id(market.instrument),
        "top_ask_price": rupees(now.asks[0][1]),
        "top_ask_quantity": now.asks[0][0],
        "top_bid_price": rupees(now.bids[0][1]),
        "top_bid_quantity": now.bids[0][0],
        "volume": now.volume,
    }
