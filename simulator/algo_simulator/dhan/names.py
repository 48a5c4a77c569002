"""Dhan's names of instruments and of the words of an order, and the exchange's own behind them.

A security id is unique within its exchange segment only: every look-up is by both.
"""

from typing import Final

from algo_crds.contracts.orders import OrderType, Product, Side
from algo_market.instruments import DayInstrument

from algo_simulator.market import Market

SEGMENT_CODES: Final = {
    "IDX_I": 0,
    "NSE_EQ": 1,
    "NSE_FNO": 2,
    "NSE_CURRENCY": 3,
    "BSE_EQ": 4,
    "MCX_COMM": 5,
    "BSE_CURRENCY": 7,
    "BSE_FNO": 8,
}
"""Exchange segments and the byte that stands for each in market packets."""
_SEGMENTS: Final = {"NSE": "NSE_EQ", "NFO": "NSE_FNO", "BSE": "BSE_EQ", "BFO": "BSE_FNO", "MCX": "MCX_COMM"}
_INDEX_IDS: Final = {"NIFTY": 13, "BANKNIFTY": 25}
_INDICES: Final = frozenset({"NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX", "BANKEX"})

SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
SIDE_WORDS: Final = {side: word for word, side in SIDES.items()}
PRODUCTS: Final = {
    "CNC": Product.DELIVERY,
    "INTRADAY": Product.INTRADAY,
    "MARGIN": Product.DELIVERY,
    "MTF": Product.DELIVERY,
}
ORDER_TYPES: Final = ("LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_MARKET")
INSTRUMENT_WORDS: Final = (
    "INDEX",
    "FUTIDX",
    "OPTIDX",
    "EQUITY",
    "FUTSTK",
    "OPTSTK",
    "FUTCOM",
    "OPTFUT",
    "FUTCUR",
    "OPTCUR",
)


def segment_of(instrument: DayInstrument) -> str:
    """The exchange segment (`NSE_EQ`, `IDX_I`, ...)."""
    return "IDX_I" if instrument.kind == "INDEX" else _SEGMENTS[instrument.exchange]


def security_id(instrument: DayInstrument) -> int:
    """The id within the segment; indices have numbers of Dhan's own, everything else the exchange's token."""
    if instrument.kind == "INDEX":
        return _INDEX_IDS.get(instrument.symbol, instrument.token)
    return instrument.token


def find_market(markets: dict[str, Market], segment: str, identity: str) -> Market | None:
    """The market of a segment and security id."""
    for market in markets.values():
        if segment_of(market.instrument) == segment and str(security_id(market.instrument)) == identity:
            return market
    return None


def instrument_word(instrument: DayInstrument) -> str:
    """`EQUITY`, `INDEX`, `FUTIDX`, `OPTIDX`, `FUTSTK` or `OPTSTK`."""
    if instrument.kind in ("EQ", "INDEX"):
        return "EQUITY" if instrument.kind == "EQ" else "INDEX"
    start = "FUT" if instrument.kind == "FUT" else "OPT"
    return start + ("IDX" if instrument.underlying in _INDICES else "STK")


def trading_symbol(instrument: DayInstrument) -> str:
    """`HDFCBANK`, `NIFTY-Nov2026-FUT`, `NIFTY-Nov2026-26100-CE`."""
    if instrument.expiry is None:
        return instrument.symbol
    parts = [instrument.underlying or instrument.name, f"{instrument.expiry:%b%Y}"]
    if instrument.option:
        parts.append(f"{instrument.strike / 10_000:g}")
    return "-".join([*parts, instrument.kind])


def display_name(instrument: DayInstrument) -> str:
    """The name that people are shown."""
    if instrument.expiry is None:
        return instrument.name.title()
    words = [instrument.underlying or instrument.name, f"{instrument.expiry:%d %b}".upper()]
    if instrument.option:
        words.append(f"{instrument.strike / 10_000:g}")
    return " ".join([*words, {"CE": "CALL", "PE": "PUT"}.get(instrument.kind, instrument.kind)])


def option_word(instrument: DayInstrument) -> str | None:
    """`CALL`, `PUT`, or None."""
    return {"CE": "CALL", "PE": "PUT"}.get(instrument.kind)


def product_word(product: Product, instrument: DayInstrument) -> str:
    """`INTRADAY`, `CNC`, or `MARGIN` for a derivative that is carried forward."""
    if product is Product.INTRADAY:
        return "INTRADAY"
    return "CNC" if instrument.kind == "EQ" else "MARGIN"


def order_type_word(kind: OrderType) -> str:
    """Only limit orders and stop-limits rest in the book: market orders were converted on their way in."""
    return "STOP_LOSS" if kind is OrderType.STOP_LIMIT else "LIMIT"
