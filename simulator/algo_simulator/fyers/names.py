"""Fyers' own symbols, tokens and topics of the simulated exchange's instruments.

A symbol is `NSE:SBIN-EQ`, an index `NSE:NIFTY50-INDEX`; a token is two digits of exchange, two of segment, six of
expiry (`YYMMDD`, zeros without one) and the exchange's own token. The market socket names a topic by kind, segment and
token, an index by the exchange's name of it.
"""

import calendar
from datetime import date
from typing import Final

from algo_market.instruments import DayInstrument

from algo_simulator.market import Market

CAPITAL: Final = 10
DERIVATIVES: Final = 11
_EXCHANGES: Final = {"NSE": 10, "NFO": 10, "MCX": 11, "BSE": 12, "BFO": 12}
_SEGMENTS: Final = {"NFO": DERIVATIVES, "BFO": DERIVATIVES}
_TOPIC_SEGMENTS: Final = {
    "1010": "nse_cm",
    "1011": "nse_fo",
    "1012": "cde_fo",
    "1020": "nse_com",
    "1120": "mcx_fo",
    "1210": "bse_cm",
    "1211": "bse_fo",
    "1212": "bcs_fo",
}
_INDEX_SYMBOLS: Final = {"NIFTY": "NIFTY50", "BANKNIFTY": "NIFTYBANK"}
_INDEX_NAMES: Final = {"NIFTY": "Nifty 50", "BANKNIFTY": "Nifty Bank"}
_INSTRUMENTS: Final = {"EQ": 0, "INDEX": 10}
_INDEX_CONTRACTS: Final = {"FUT": 11, "CE": 14, "PE": 14}
_SHARE_CONTRACTS: Final = {"FUT": 13, "CE": 15, "PE": 15}
_INDICES: Final = frozenset({"NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX", "BANKEX"})


def exchange_code(instrument: DayInstrument) -> int:
    """10 NSE, 11 MCX, 12 BSE."""
    return _EXCHANGES[instrument.exchange]


def segment_code(instrument: DayInstrument) -> int:
    """10 capital market, 11 equity derivatives."""
    return _SEGMENTS.get(instrument.exchange, CAPITAL)


def instrument_code(instrument: DayInstrument) -> int:
    """The exchange instrument type: 0 share, 10 index, 11 and 13 futures, 14 and 15 options (index, share)."""
    if instrument.kind in _INSTRUMENTS:
        return _INSTRUMENTS[instrument.kind]
    table = _INDEX_CONTRACTS if instrument.underlying in _INDICES else _SHARE_CONTRACTS
    return table[instrument.kind]


def exchange_name(instrument: DayInstrument) -> str:
    """The part before the colon: derivatives go by the exchange of their underlying."""
    return {"NFO": "NSE", "BFO": "BSE"}.get(instrument.exchange, instrument.exchange)


def short_symbol(instrument: DayInstrument) -> str:
    """The part after the colon: `SBIN-EQ`, `NIFTY50-INDEX`, `NIFTY26DECFUT`."""
    if instrument.kind == "EQ":
        return f"{instrument.symbol}-EQ"
    if instrument.kind == "INDEX":
        return f"{_INDEX_SYMBOLS.get(instrument.symbol, instrument.symbol)}-INDEX"
    assert instrument.expiry is not None
    if instrument.kind == "FUT":
        return f"{instrument.underlying}{instrument.expiry:%y%b}FUT".upper()
    strike = f"{instrument.strike / 10_000:g}"
    return f"{instrument.underlying}{_expiry_code(instrument.expiry)}{strike}{instrument.kind}"


def fyers_symbol(instrument: DayInstrument) -> str:
    """The symbol of orders, quotes and files."""
    return f"{exchange_name(instrument)}:{short_symbol(instrument)}"


def fyers_token(instrument: DayInstrument) -> str:
    """`fyToken`."""
    expiry = f"{instrument.expiry:%y%m%d}" if instrument.expiry is not None else "000000"
    return f"{exchange_code(instrument)}{segment_code(instrument)}{expiry}{instrument.token}"


def index_name(instrument: DayInstrument) -> str:
    """What the market socket calls an index."""
    return _INDEX_NAMES.get(instrument.symbol, instrument.name)


def topic_segment(instrument: DayInstrument) -> str:
    """`nse_cm` and its like."""
    return _TOPIC_SEGMENTS[fyers_token(instrument)[:4]]


def topics_of(instrument: DayInstrument) -> tuple[str, ...]:
    """The topics of an instrument: quote and depth, or the one of an index."""
    segment = topic_segment(instrument)
    if instrument.kind == "INDEX":
        return (f"if|{segment}|{index_name(instrument)}",)
    return (f"sf|{segment}|{instrument.token}", f"dp|{segment}|{instrument.token}")


def find_market(markets: dict[str, Market], symbol: str) -> Market | None:
    """The market of a Fyers symbol."""
    for market in markets.values():
        if fyers_symbol(market.instrument) == symbol:
            return market
    return None


def _expiry_code(expiry: date) -> str:
    """`YYMMM` for the month's last expiry of its weekday, `YYMdd` for a weekly one (months 1-9, O, N, D)."""
    days = calendar.monthrange(expiry.year, expiry.month)[1]
    if expiry.day + 7 > days:
        return f"{expiry:%y%b}".upper()
    return f"{expiry:%y}{'123456789OND'[expiry.month - 1]}{expiry:%d}"
