"""Fyers' names of instruments and ours: symbols (`NSE:SBIN-EQ`), exchange and segment codes, and the fyToken.

A fyToken is two digits of exchange, two of segment, six of expiry (`YYMMDD`, zeros for cash and index) and the
exchange's own token; its first digit is never zero, so that it is the same as a number. Source: docs v3, appendix.
"""

from typing import Final

from algo_market.contract_names import index_symbol, share_symbol

from algo_brokers.records import InstrumentRef

EXCHANGES: Final = {
    (10, 10): "NSE",
    (10, 11): "NFO",
    (10, 12): "CDS",
    (10, 20): "NCO",
    (11, 20): "MCX",
    (12, 10): "BSE",
    (12, 11): "BFO",
    (12, 12): "BCD",
}
"""Our exchange by Fyers' codes of exchange and segment."""

_CASH: Final = 10
_INDEX: Final = "-INDEX"
_DERIVATIVES: Final = {"NFO": "NSE", "CDS": "NSE", "NCO": "NSE", "MCX": "MCX", "BFO": "BSE", "BCD": "BSE"}
_SUFFIX_OF: Final = {
    "NIFTY 50": "NIFTY50",
    "NIFTY BANK": "NIFTYBANK",
    "NIFTY FIN SERVICE": "FINNIFTY",
    "NIFTY MID SELECT": "MIDCPNIFTY",
    "NIFTY NEXT 50": "NIFTYNXT50",
    "INDIA VIX": "INDIAVIX",
}


def is_derivative(exchange: str) -> bool:
    """Whether one of our exchanges is a derivatives segment."""
    return exchange in _DERIVATIVES


def is_index(broker_symbol: str) -> bool:
    """Whether Fyers' symbol is an index: it cannot be traded and has topics of its own on the socket."""
    return broker_symbol.endswith(_INDEX)


def canonical(exchange: int, segment: int, broker_symbol: str) -> tuple[str, str]:
    """Our (exchange, symbol) of Fyers' codes and symbol. Codes that nobody documented keep Fyers' own prefix, so that
    the row matches nobody's strategy.

    A BSE share carries its group (`BSE:SBIN-A`), which is no part of its name: a group changes over night.
    """
    prefix, _, name = broker_symbol.rpartition(":")
    ours = EXCHANGES.get((exchange, segment), prefix)
    if segment != _CASH:
        return ours, name
    if is_index(name):
        return ours, index_symbol(name.removesuffix(_INDEX))
    symbol, dash, series = name.rpartition("-")
    if not dash:
        return ours, name
    return ours, symbol if ours == "BSE" else share_symbol(symbol, series)


def broker_symbol_of(instrument: InstrumentRef) -> str:
    """Fyers' symbol: from the list of the day, or by rule where the list was not read.

    Raises:
        ValueError: no rule gives it (a BSE share's group is only in the list).
    """
    if instrument.broker_symbol:
        return instrument.broker_symbol
    prefix = _DERIVATIVES.get(instrument.exchange)
    if prefix is not None:
        return f"{prefix}:{instrument.symbol}"
    if instrument.exchange == "NSE":
        index = _SUFFIX_OF.get(instrument.symbol)
        return f"NSE:{index}{_INDEX}" if index else f"NSE:{instrument.symbol}-EQ"
    raise ValueError(f"{instrument.exchange}:{instrument.symbol} needs the broker's symbol; read the instrument list")


def fytoken_parts(token: int) -> tuple[int, int, str]:
    """Exchange code, segment code and exchange token of a fyToken.

    Raises:
        ValueError: too short for one.
    """
    text = str(token)
    if token < 0 or len(text) < 11:
        raise ValueError(f"{token} is no fyToken")
    return int(text[:2]), int(text[2:4]), text[10:]
