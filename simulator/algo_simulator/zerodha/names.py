"""Kite's own names and tokens of the simulated exchange's instruments."""

from typing import Final

from algo_market.instruments import DayInstrument

from algo_simulator.market import Market

SEGMENT_NSE: Final = 1
SEGMENT_NFO: Final = 2
SEGMENT_INDICES: Final = 9
_INDEX_TOKENS: Final = {"NIFTY": 1001, "BANKNIFTY": 1016}


def kite_symbol(instrument: DayInstrument) -> str:
    """`tradingsymbol`: an index goes by its full name."""
    return instrument.name if instrument.kind == "INDEX" else instrument.symbol


def kite_token(instrument: DayInstrument) -> int:
    """`instrument_token`: exchange token * 256 + segment."""
    if instrument.kind == "INDEX":
        return _INDEX_TOKENS[instrument.symbol] * 256 + SEGMENT_INDICES
    return instrument.token * 256 + (SEGMENT_NFO if instrument.exchange == "NFO" else SEGMENT_NSE)


def find_market(markets: dict[str, Market], exchange: str, tradingsymbol: str) -> Market | None:
    """The market of a Kite name."""
    market = markets.get(f"{exchange}:{tradingsymbol}")
    if market is not None and market.instrument.kind != "INDEX":
        return market
    for market in markets.values():
        if market.instrument.exchange == exchange and kite_symbol(market.instrument) == tradingsymbol:
            return market
    return None
