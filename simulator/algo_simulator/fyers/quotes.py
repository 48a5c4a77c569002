"""Quotes, depth, candles, market status, the token look-up of the socket, and margins of orders not yet placed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from algo_crds.contracts.clock import IST

from algo_simulator.candles import DAY, MINUTE, SECOND, candles
from algo_simulator.front import Caller
from algo_simulator.fyers.bodies import read_object
from algo_simulator.fyers.errors import FyersError, bad_field
from algo_simulator.fyers.names import (
    exchange_code,
    exchange_name,
    find_market,
    fyers_symbol,
    fyers_token,
    segment_code,
    short_symbol,
)
from algo_simulator.fyers.rows import change_percent, rupees
from algo_simulator.market import Market
from algo_simulator.quotes import quote_of

MAX_SYMBOLS: Final = 50
MAX_LOOKUP: Final = 500
BAD_SYMBOL: Final = (-300, "Please provide a valid symbol")
_SECONDS: Final = ("5S", "10S", "15S", "30S", "45S")
_MINUTES: Final = ("1", "2", "3", "5", "10", "15", "20", "30", "45", "60", "120", "180", "240")
LENGTHS: Final = {
    **{name: int(name[:-1]) * SECOND for name in _SECONDS},
    **{name: int(name) * MINUTE for name in _MINUTES},
    "D": DAY,
    "1D": DAY,
    "1W": 7 * DAY,
    "1M": 30 * DAY,
}
_SPAN_DAYS: Final = {"minutes": 100, "days": 366, "seconds": 30}


def quotes(caller: Caller, symbols: list[str]) -> dict[str, object]:
    """`/quotes`: one element a symbol asked for; a bad one tells its error.

    Raises:
        FyersError: no symbol, or more than fifty.
    """
    if not 0 < len(symbols) <= MAX_SYMBOLS:
        raise bad_field(f"Please provide 1 to {MAX_SYMBOLS} symbols")
    markets = caller.clock.world.markets
    return {"d": [_quote(symbol, find_market(markets, symbol)) for symbol in symbols]}


def symbols_in(body: bytes) -> list[str]:
    """The symbols of a body.

    Raises:
        FyersError: no list of texts.
    """
    symbols = read_object(body).get("symbols")
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise bad_field("symbols must be a list of texts")
    return symbols


def _quote(symbol: str, market: Market | None) -> dict[str, object]:
    if market is None:
        code, text = BAD_SYMBOL
        return {"n": symbol, "s": "error", "v": {"code": code, "errmsg": text}}
    quote, instrument = quote_of(market), market.instrument
    bid, ask = quote.bids[0][1], quote.asks[0][1]
    values = {
        "ch": rupees(quote.change),
        "chp": change_percent(quote.last, quote.close),
        "lp": rupees(quote.last),
        "spread": rupees(ask - bid),
        "ask": rupees(ask),
        "bid": rupees(bid),
        "open_price": rupees(quote.open),
        "high_price": rupees(quote.high),
        "low_price": rupees(quote.low),
        "prev_close_price": rupees(quote.close),
        "atp": rupees(quote.average),
        "volume": quote.volume,
        "short_name": short_symbol(instrument),
        "exchange": exchange_name(instrument),
        "description": symbol,
        "original_name": symbol,
        "symbol": symbol,
        "fyToken": fyers_token(instrument),
        "tt": str(quote.last_time // 1000),
    }
    return {"n": symbol, "s": "ok", "v": values}


def depth(caller: Caller, symbol: str, *, with_day: bool) -> dict[str, object]:
    """`/depth`: five levels and the day's figures; `with_day` (`ohlcv_flag=1`) adds open, high, low, close and volume.

    Raises:
        FyersError: unknown symbol.
    """
    market = find_market(caller.clock.world.markets, symbol)
    if market is None:
        raise FyersError(400, *BAD_SYMBOL)
    quote, instrument = quote_of(market), market.instrument
    day = {
        "o": rupees(quote.open),
        "h": rupees(quote.high),
        "l": rupees(quote.low),
        "c": rupees(quote.close),
        "v": quote.volume,
    }
    return {
        "d": {
            symbol: {
                "totalbuyqty": quote.buy_quantity,
                "totalsellqty": quote.sell_quantity,
                "bids": [
                    {"price": rupees(price), "volume": shares, "ord": orders} for shares, price, orders in quote.bids
                ],
                "ask": [
                    {"price": rupees(price), "volume": shares, "ord": orders} for shares, price, orders in quote.asks
                ],
                **(day if with_day else {}),
                "chp": change_percent(quote.last, quote.close),
                "tick_Size": rupees(instrument.tick_size),
                "ch": rupees(quote.change),
                "ltq": quote.last_quantity,
                "ltt": quote.last_time // 1000,
                "ltp": rupees(quote.last),
                "atp": rupees(quote.average),
                "lower_ckt": rupees(quote.lower_circuit),
                "upper_ckt": rupees(quote.upper_circuit),
                "expiry": "",
                "oi": quote.open_interest,
                "oiflag": instrument.exchange == "NFO",
                "pdoi": 0,
                "oipercent": 0.0,
            }
        }
    }


def history(caller: Caller, query: Mapping[str, str]) -> dict[str, object]:
    """`/history`: bars of the world's own day, the running one included as far as it goes.

    Raises:
        FyersError: unknown symbol or resolution, dates that cannot be read, or too long a span.
    """
    market = find_market(caller.clock.world.markets, query.get("symbol", ""))
    if market is None:
        raise FyersError(400, *BAD_SYMBOL)
    resolution = query.get("resolution", "")
    length = LENGTHS.get(resolution)
    if length is None:
        raise bad_field("Please provide a valid resolution")
    begin, end = _range(query)
    kind = "days" if length >= DAY else "minutes" if length >= MINUTE else "seconds"
    if end < begin or end - begin > timedelta(days=_SPAN_DAYS[kind]).total_seconds() * 1000:
        raise bad_field(f"Invalid range: at most {_SPAN_DAYS[kind]} days of this resolution")
    found = candles(market, length, since=begin, until=caller.now)
    with_oi = query.get("oi_flag") == "1"
    rows = [
        [
            candle.start // 1000,
            *(rupees(price) for price in candle[1:5]),
            candle.volume,
            *([candle.open_interest] if with_oi else []),
        ]
        for candle in found
        if candle.start <= end
    ]
    return {"candles": rows} if rows else {"s": "no_data", "candles": []}


def _range(query: Mapping[str, str]) -> tuple[int, int]:
    begin, end = (query.get(name, "") for name in ("range_from", "range_to"))
    try:
        if query.get("date_format") == "0":
            return int(begin) * 1000, int(end) * 1000 + 999
        first, last = (datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=IST) for text in (begin, end))
        return int(first.timestamp()) * 1000, int((last + timedelta(days=1)).timestamp()) * 1000 - 1
    except (ValueError, OverflowError):
        raise bad_field("Please provide valid range_from and range_to") from None


def market_status(caller: Caller) -> dict[str, object]:
    """`/marketStatus`: of the exchanges and segments of this world."""
    rows: dict[tuple[int, int], dict[str, object]] = {}
    for market in caller.clock.world.markets.values():
        session, key = market.session, (exchange_code(market.instrument), segment_code(market.instrument))
        status = "OPEN" if session.open <= caller.now < session.last_new_order else "CLOSED"
        row = rows.setdefault(key, {"exchange": key[0], "segment": key[1], "market_type": "NORMAL", "status": status})
        if status == "OPEN":
            row["status"] = status
    return {"marketStatus": list(rows.values())}


def symbol_tokens(caller: Caller, body: bytes) -> dict[str, object]:
    """`/symbol-token`: the tokens of symbols, and the symbols that have none.

    Raises:
        FyersError: no list of symbols, or more than five hundred.
    """
    wanted = symbols_in(body)
    if len(wanted) > MAX_LOOKUP:
        raise bad_field(f"Please provide at most {MAX_LOOKUP} symbols")
    markets = caller.clock.world.markets
    found = {symbol: market for symbol in wanted if (market := find_market(markets, symbol)) is not None}
    valid = {symbol: fyers_token(market.instrument) for symbol, market in found.items()}
    return {"validSymbol": valid, "invalidSymbol": [symbol for symbol in wanted if symbol not in found]}


def futures_chain(caller: Caller, symbol: str) -> dict[str, object]:
    """`/futures-chain`: the futures of this world on an underlying.

    Raises:
        FyersError: unknown symbol.
    """
    markets: dict[str, Any] = caller.clock.world.markets
    market = find_market(markets, symbol)
    if market is None:
        raise FyersError(400, *BAD_SYMBOL)
    of = market.instrument.symbol
    chain = [m for m in markets.values() if m.instrument.kind == "FUT" and m.instrument.underlying == of]
    return {"data": {"futuresChain": [_quote(fyers_symbol(m.instrument), m)["v"] for m in chain]}}
