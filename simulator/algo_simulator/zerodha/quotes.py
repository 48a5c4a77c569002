"""Quotes, candles and the instruments dump."""

from datetime import datetime
from typing import Final

from algo_crds.contracts.clock import IST
from algo_market.instruments import DayInstrument, instruments_on
from algo_market.sessions import day_start

from algo_simulator import candles
from algo_simulator.depth import LEVELS, Level
from algo_simulator.front import Caller
from algo_simulator.market import Market
from algo_simulator.quotes import quote_of
from algo_simulator.zerodha.errors import input_error
from algo_simulator.zerodha.names import SEGMENT_NFO, find_market, kite_symbol, kite_token
from algo_simulator.zerodha.rows import rupees, stamp

CAPS: Final = {"quote": 500, "ohlc": 1000, "ltp": 1000}
MINUTES: Final = {
    "minute": 1,
    "3minute": 3,
    "5minute": 5,
    "10minute": 10,
    "15minute": 15,
    "30minute": 30,
    "60minute": 60,
    "day": 24 * 60,
}
SPAN_DAYS: Final = {1: 60, 3: 100, 5: 100, 10: 100, 15: 200, 30: 200, 60: 400, 24 * 60: 2000}
_HEADER: Final = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
    "instrument_type,segment,exchange"
)


def quotes(caller: Caller, kind: str, names: list[str]) -> dict[str, object]:
    """`/quote`, `/quote/ohlc`, `/quote/ltp`: a map by the names asked for; unknown and silent ones are missing.

    Raises:
        KiteError: too many names, or none.
    """
    if not names:
        raise input_error("Missing or empty field `i`")
    if len(names) > CAPS[kind]:
        raise input_error(f"Too many tokens requested. Max permitted is {CAPS[kind]}.")
    found: dict[str, object] = {}
    for name in names:
        exchange, _, symbol = name.partition(":")
        market = find_market(caller.clock.world.markets, exchange, symbol)
        if market is not None and (market.stats.last or market.previous_close):
            found[name] = _quote(caller, kind, market)
    return found


def _quote(caller: Caller, kind: str, market: Market) -> dict[str, object]:
    quote = quote_of(market)
    row: dict[str, object] = {"instrument_token": kite_token(market.instrument), "last_price": rupees(quote.last)}
    if kind == "ltp":
        return row
    row["ohlc"] = {name: rupees(getattr(quote, name)) for name in ("open", "high", "low", "close")}
    if kind == "ohlc":
        return row
    row |= {
        "timestamp": stamp(caller.now),
        "last_trade_time": stamp(quote.last_time) if quote.last_time else None,
        "volume": quote.volume,
        "oi": 0,
        "oi_day_high": 0,
        "oi_day_low": 0,
        "net_change": rupees(quote.change),
        "lower_circuit_limit": rupees(quote.lower_circuit),
        "upper_circuit_limit": rupees(quote.upper_circuit),
    }
    index = market.instrument.kind == "INDEX"
    row |= {
        "last_quantity": 0 if index else quote.last_quantity,
        "average_price": 0 if index else rupees(quote.average),
        "buy_quantity": 0 if index else quote.buy_quantity,
        "sell_quantity": 0 if index else quote.sell_quantity,
        "depth": {"buy": _depth([] if index else quote.bids), "sell": _depth([] if index else quote.asks)},
    }
    return row


def _depth(side: list[Level]) -> list[dict[str, object]]:
    """Five levels, zeros where there is none."""
    levels = [*side, *[(0, 0, 0)] * (LEVELS - len(side))]
    return [{"price": rupees(price), "quantity": quantity, "orders": orders} for quantity, price, orders in levels]


def historical(caller: Caller, token: str, interval: str, query: dict[str, str]) -> dict[str, object]:
    """`/instruments/historical/{token}/{interval}`: bars of the world's own day, up to its clock.

    Raises:
        KiteError: unknown token or interval, dates that cannot be read, or too long a span.
    """
    minutes = MINUTES.get(interval)
    if minutes is None:
        raise input_error("invalid interval")
    world = caller.clock.world
    market = next((m for m in world.markets.values() if str(kite_token(m.instrument)) == token), None)
    if market is None:
        raise input_error("invalid token")
    begin, end = _moment(query, "from"), _moment(query, "to")
    if end < begin:
        raise input_error("invalid from or to")
    if (end - begin).days > SPAN_DAYS[minutes]:
        raise input_error(f"interval exceeds max limit: {SPAN_DAYS[minutes]} days")
    low, high = int(begin.timestamp()) * 1000, min(int(end.timestamp()) * 1000 + 59_999, world.now)
    if interval == "day":
        low = day_start(begin.date())
    with_oi = query.get("oi") == "1"
    bars = candles.candles(market, minutes * candles.MINUTE, since=low, until=high)
    return {"candles": [_candle(bar, with_oi=with_oi) for bar in bars]}


def _candle(bar: candles.Candle, *, with_oi: bool) -> list[object]:
    at = f"{datetime.fromtimestamp(bar.start / 1000, IST):%Y-%m-%dT%H:%M:%S%z}"
    prices = [rupees(price) for price in (bar.open, bar.high, bar.low, bar.close)]
    return [at, *prices, bar.volume, *([bar.open_interest] if with_oi else [])]


def _moment(query: dict[str, str], name: str) -> datetime:
    text = query.get(name, "").replace("+", " ")
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=IST)
        except ValueError:
            continue
    raise input_error(f"invalid {name} date")


def instruments_csv(caller: Caller, exchange: str | None) -> str:
    """`/instruments[/{exchange}]`: the dump of the world's day."""
    day = caller.clock.world.spec.date
    rows = [_HEADER]
    rows += [_csv_row(found) for found in instruments_on(day) if exchange in (None, found.exchange)]
    return "\n".join(rows) + "\n"


def _csv_row(instrument: DayInstrument) -> str:
    token = kite_token(instrument)
    index = instrument.kind == "INDEX"
    segment = "INDICES" if index else "NSE"
    if token & 0xFF == SEGMENT_NFO:
        segment = "NFO-FUT" if instrument.kind == "FUT" else "NFO-OPT"
    cells = (
        token,
        token >> 8,
        kite_symbol(instrument),
        instrument.name,
        0,
        instrument.expiry or "",
        f"{rupees(instrument.strike):g}",
        0 if index else f"{rupees(instrument.tick_size):g}",
        0 if index else instrument.lot,
        "EQ" if index else instrument.kind,
        segment,
        instrument.exchange,
    )
    return ",".join(str(cell) for cell in cells)
