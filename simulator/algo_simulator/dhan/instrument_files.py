"""The scrip master: the compact and the detailed CSV, and the detailed rows of one segment.

Columns are Dhan's; what the simulated exchange does not have (covers, brackets, surveillance flags) carries the values
of an instrument without. Tick sizes are in paise, lots are floats; a share has no expiry, an index a placeholder, as in
the real files.
"""

from datetime import date
from typing import Final

from algo_market.instruments import DayInstrument, instruments_on

from algo_simulator.dhan.names import display_name, instrument_word, security_id, segment_of, trading_symbol

COMPACT: Final = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,SEM_TRADING_SYMBOL,"
    "SEM_LOT_UNITS,SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,SEM_OPTION_TYPE,SEM_TICK_SIZE,"
    "SEM_EXPIRY_FLAG,SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,SM_SYMBOL_NAME"
)
_MARGIN_COLUMNS: Final = (
    "BUY_CO_MIN_MARGIN_PER,SELL_CO_MIN_MARGIN_PER,BUY_CO_SL_RANGE_MAX_PERC,SELL_CO_SL_RANGE_MAX_PERC,"
    "BUY_CO_SL_RANGE_MIN_PERC,SELL_CO_SL_RANGE_MIN_PERC,BUY_BO_MIN_MARGIN_PER,SELL_BO_MIN_MARGIN_PER,"
    "BUY_BO_SL_RANGE_MAX_PERC,SELL_BO_SL_RANGE_MAX_PERC,BUY_BO_SL_RANGE_MIN_PERC,SELL_BO_SL_MIN_RANGE,"
    "BUY_BO_PROFIT_RANGE_MAX_PERC,SELL_BO_PROFIT_RANGE_MAX_PERC,BUY_BO_PROFIT_RANGE_MIN_PERC,"
    "SELL_BO_PROFIT_RANGE_MIN_PERC,MTF_LEVERAGE"
)
DETAILED: Final = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,SYMBOL_NAME,DISPLAY_NAME,"
    "INSTRUMENT_TYPE,SERIES,LOT_SIZE,SM_EXPIRY_DATE,STRIKE_PRICE,OPTION_TYPE,TICK_SIZE,EXPIRY_FLAG,BRACKET_FLAG,"
    f"COVER_FLAG,ASM_GSM_FLAG,ASM_GSM_CATEGORY,BUY_SELL_INDICATOR,{_MARGIN_COLUMNS}"
)
_EXCHANGES: Final = {"NFO": "NSE", "BFO": "BSE"}
_LETTERS: Final = {"IDX_I": "I", "NSE_EQ": "E", "BSE_EQ": "E", "NSE_FNO": "D", "BSE_FNO": "D", "MCX_COMM": "M"}
_TYPES: Final = {"EQ": "ES", "INDEX": "INDEX", "FUT": "FUT", "CE": "OP", "PE": "OP"}
NO_EXPIRY: Final = "0001-01-01"
NO_STRIKE: Final = "-0.01000"
INDEX_TICK: Final = "0.0500"
"""Of an index the real file gives rupees, of everything else paise."""


def compact_csv(day: date) -> str:
    """`api-scrip-master.csv` of a day."""
    return _csv(COMPACT, [_compact(found) for found in instruments_on(day)])


def detailed_csv(day: date, segment: str = "") -> str:
    """`api-scrip-master-detailed.csv` of a day, or its rows of one exchange segment."""
    listed = instruments_on(day)
    names = {(found.exchange, found.symbol): found for found in listed}
    return _csv(DETAILED, [_detailed(found, names) for found in listed if segment in ("", segment_of(found))])


def _csv(header: str, rows: list[tuple[object, ...]]) -> str:
    lines = [header, *(",".join(str(cell) for cell in row) for row in rows)]
    return "\n".join(lines) + "\n"


def _compact(instrument: DayInstrument) -> tuple[object, ...]:
    index, derivative = instrument.kind == "INDEX", instrument.expiry is not None
    expiry = f"{instrument.expiry} 14:30:00" if derivative else NO_EXPIRY if index else ""
    option = instrument.kind if instrument.option else "XX"
    return (
        _EXCHANGES.get(instrument.exchange, instrument.exchange),
        _LETTERS[segment_of(instrument)],
        security_id(instrument),
        instrument_word(instrument),
        0,
        trading_symbol(instrument),
        f"{instrument.lot:.1f}",
        display_name(instrument),
        expiry,
        _strike(instrument) if derivative else "",
        option if derivative or index else "",
        INDEX_TICK if index else _tick(instrument),
        "M" if derivative else "" if index else "NA",
        _TYPES[instrument.kind],
        _series(instrument),
        instrument.symbol if index else instrument.name,
    )


def _detailed(instrument: DayInstrument, names: dict[tuple[str, str], DayInstrument]) -> tuple[object, ...]:
    derivative = instrument.expiry is not None
    underlying = names.get(("NSE", instrument.underlying))
    return (
        _EXCHANGES.get(instrument.exchange, instrument.exchange),
        _LETTERS[segment_of(instrument)],
        security_id(instrument),
        instrument.isin or "NA",
        instrument_word(instrument),
        "NA" if underlying is None else security_id(underlying),
        instrument.underlying or instrument.symbol,
        instrument.symbol if instrument.kind == "EQ" else trading_symbol(instrument),
        display_name(instrument),
        _TYPES[instrument.kind],
        _series(instrument),
        f"{instrument.lot:.1f}",
        instrument.expiry if derivative else NO_EXPIRY,
        _strike(instrument),
        instrument.kind if instrument.option else "XX",
        _tick(instrument),
        "M" if derivative else "NA",
        *("N", "N", "N", "NA", "A"),
        *((0.0,) * len(_MARGIN_COLUMNS.split(","))),
    )


def _tick(instrument: DayInstrument) -> str:
    return f"{instrument.tick_size / 100:.4f}"


def _strike(instrument: DayInstrument) -> str:
    return f"{instrument.strike / 10_000:.5f}" if instrument.option else NO_STRIKE


def _series(instrument: DayInstrument) -> str:
    return {"EQ": "EQ", "INDEX": "X"}.get(instrument.kind, "XX")
