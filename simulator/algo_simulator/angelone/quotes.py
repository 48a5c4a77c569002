"""Quotes in three modes, the last price of one symbol, candles and open-interest history."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from algo_crds.contracts.clock import IST

from algo_simulator import candles as bars
from algo_simulator.angelone.errors import FUTURE, bad_input, refusal
from algo_simulator.angelone.names import angel_symbol, angel_token, find_market
from algo_simulator.angelone.order_forms import Form, instrument_of, text
from algo_simulator.angelone.rows import rupees, stamp
from algo_simulator.depth import Level
from algo_simulator.front import Caller
from algo_simulator.market import Market
from algo_simulator.quotes import Quote, quote_of

MAX_TOKENS: Final = 50
_EMPTY_BOOK: Final[list[Level]] = [(0, 0, 0)] * 5
_INTERVALS: Final = {
    "ONE_MINUTE": (1, 30),
    "THREE_MINUTE": (3, 60),
    "FIVE_MINUTE": (5, 100),
    "TEN_MINUTE": (10, 100),
    "FIFTEEN_MINUTE": (15, 200),
    "THIRTY_MINUTE": (30, 200),
    "ONE_HOUR": (60, 400),
    "ONE_DAY": (24 * 60, 2000),
}
"""Minutes of a bar, and the most days in a request."""


def last_price(caller: Caller, form: Form) -> dict[str, object]:
    """`getLtpData`.

    Raises:
        AngelError: no such instrument.
    """
    market = instrument_of(form, caller.clock.world.markets)
    quote = quote_of(market)
    return {
        "exchange": market.instrument.exchange,
        "tradingsymbol": angel_symbol(market.instrument),
        "symboltoken": angel_token(market.instrument),
        **_ohlc(quote),
        "ltp": rupees(quote.last),
    }


def _ohlc(quote: Quote) -> dict[str, object]:
    return {name: rupees(getattr(quote, name)) for name in ("open", "high", "low", "close")}


def quotes(caller: Caller, form: Form) -> dict[str, object]:
    """`quote`: what is known, and what could not be fetched; the keys are camelCase here, unlike anywhere else.

    Raises:
        AngelError: another mode, no tokens, or too many.
    """
    shape = _SHAPES.get(text(form, "mode"))
    wanted = form.get("exchangeTokens")
    if shape is None:
        raise bad_input("Invalid mode")
    if not isinstance(wanted, dict) or not all(isinstance(tokens, list) for tokens in wanted.values()):
        raise bad_input("Invalid exchangeTokens")
    pairs = [(str(exchange), str(token)) for exchange, tokens in wanted.items() for token in tokens]
    if not pairs or len(pairs) > MAX_TOKENS:
        raise bad_input(f"Number of tokens must be 1 to {MAX_TOKENS}")
    fetched: list[dict[str, object]] = []
    unfetched: list[dict[str, object]] = []
    for exchange, token in pairs:
        market = find_market(caller.clock.world.markets, exchange, token)
        if market is None:
            code, message = ("AB1018", "Failed to get symbol details") if token else ("AB4018", "Token is empty")
            unfetched.append({"exchange": exchange, "symbolToken": token, "message": message, "errorCode": code})
        else:
            fetched.append(shape(caller, market, quote_of(market)))
    return {"fetched": fetched, "unfetched": unfetched}


def _ltp(_: Caller, market: Market, quote: Quote) -> dict[str, object]:
    instrument = market.instrument
    return {
        "exchange": instrument.exchange,
        "tradingSymbol": angel_symbol(instrument),
        "symbolToken": angel_token(instrument),
        "ltp": rupees(quote.last),
    }


def _short(caller: Caller, market: Market, quote: Quote) -> dict[str, object]:
    return {**_ltp(caller, market, quote), **_ohlc(quote)}


def _full(caller: Caller, market: Market, quote: Quote) -> dict[str, object]:
    index = market.instrument.kind == "INDEX"
    return {
        **_short(caller, market, quote),
        "lastTradeQty": quote.last_quantity,
        "exchFeedTime": stamp(caller.now),
        "exchTradeTime": stamp(quote.last_time) if quote.last_time else "",
        "netChange": rupees(quote.change),
        "percentChange": round(100 * quote.change / quote.close, 2) if quote.close else 0.0,
        "avgPrice": rupees(quote.average),
        "tradeVolume": quote.volume,
        "opnInterest": quote.open_interest,
        "lowerCircuit": rupees(quote.lower_circuit),
        "upperCircuit": rupees(quote.upper_circuit),
        "totBuyQuan": 0 if index else quote.buy_quantity,
        "totSellQuan": 0 if index else quote.sell_quantity,
        "52WeekLow": rupees(quote.low),
        "52WeekHigh": rupees(quote.high),
        "depth": {
            "buy": _depth(_EMPTY_BOOK if index else quote.bids),
            "sell": _depth(_EMPTY_BOOK if index else quote.asks),
        },
    }


def _depth(side: list[Level]) -> list[dict[str, object]]:
    return [{"price": rupees(price), "quantity": quantity, "orders": orders} for quantity, price, orders in side]


_SHAPES: Final[Mapping[str, Callable[[Caller, Market, Quote], dict[str, object]]]] = {
    "LTP": _ltp,
    "OHLC": _short,
    "FULL": _full,
}


def candles(caller: Caller, form: Form) -> list[list[object]] | None:
    """`getCandleData`: bars of the world's own day, up to its clock; null when there is none.

    Raises:
        AngelError: unknown token or interval, dates that cannot be read or lie ahead, or too long a span.
    """
    return [
        [bar_time(bar.start), *(rupees(price) for price in bar[1:5]), bar.volume] for bar in _bars(caller, form)[1]
    ] or None


def open_interest(caller: Caller, form: Form) -> list[dict[str, object]] | None:
    """`getOIData`: of derivatives only; the record knows none, so it is 0.

    Raises:
        AngelError: as `candles`, or the instrument is no derivative.
    """
    market, found = _bars(caller, form)
    if market.instrument.expiry is None:
        raise bad_input("OI data is available for F&O contracts only")
    return [{"time": bar_time(bar.start), "oi": bar.open_interest} for bar in found] or None


def _bars(caller: Caller, form: Form) -> tuple[Market, list[bars.Candle]]:
    minutes, most_days = _INTERVALS.get(text(form, "interval"), (0, 0))
    if not minutes:
        raise bad_input("Invalid interval")
    market = find_market(caller.clock.world.markets, text(form, "exchange"), text(form, "symboltoken"))
    if market is None:
        raise refusal("AB1018", "Failed to get symbol details")
    begin, end = _moment(form, "fromdate"), _moment(form, "todate")
    if end < begin:
        raise bad_input("From datetime can't be greater than To datetime")
    if end.timestamp() * 1000 > caller.now:
        raise bad_input(FUTURE)
    if end - begin > timedelta(days=most_days):
        raise bad_input(f"Date range exceeds {most_days} days for this interval")
    until = min(int(end.timestamp()) * 1000 + bars.MINUTE - 1, caller.now)
    since = int(begin.timestamp()) * 1000
    return market, bars.candles(market, minutes * bars.MINUTE, since=since, until=until)


def _moment(form: Form, name: str) -> datetime:
    try:
        return datetime.strptime(text(form, name), "%Y-%m-%d %H:%M").replace(tzinfo=IST)
    except ValueError:
        raise bad_input(f"Invalid {name}; the format is yyyy-MM-dd HH:mm") from None


def bar_time(at: int) -> str:
    """`2026-03-02T09:15:00+05:30`, the start of a bar."""
    return datetime.fromtimestamp(at / 1000, IST).isoformat(timespec="seconds")
