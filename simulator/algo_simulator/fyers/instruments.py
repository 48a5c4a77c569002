"""The symbol master: CSV without a header line, its JSON twin, and the names of indices on the market socket.

Columns and keys are those of Fyers' published files; a reader of the CSV may count on its first eighteen columns.
"""

from datetime import date, datetime, time
from typing import Final

import msgspec
from algo_crds.contracts.clock import IST
from algo_market.instruments import DayInstrument, instruments_on, price_band

from algo_simulator.fyers.names import (
    exchange_code,
    exchange_name,
    fyers_symbol,
    fyers_token,
    index_name,
    instrument_code,
    segment_code,
    short_symbol,
)

FILES: Final = ("NSE_CM", "NSE_FO", "NSE_CD", "NSE_COM", "BSE_CM", "BSE_FO", "MCX_COM")
_SEGMENT_NAMES: Final = {10: "CM", 11: "FO"}
_SESSION: Final = "0915-1530|1815-1915:"
_EXPIRES_AT: Final = time(15, 30)


def _file_of(instrument: DayInstrument) -> str:
    return f"{exchange_name(instrument)}_{_SEGMENT_NAMES[segment_code(instrument)]}"


def rows_of(name: str, day: date) -> list[DayInstrument]:
    """What a file lists on a day; nothing for a segment that is not simulated."""
    return [found for found in instruments_on(day) if _file_of(found) == name]


def _rupees(price: int) -> float:
    return price / 10_000


def _details(instrument: DayInstrument) -> str:
    return short_symbol(instrument) if instrument.kind == "INDEX" else instrument.name


def _lot(instrument: DayInstrument) -> int:
    return 0 if instrument.kind == "INDEX" else instrument.lot


def _expiry(instrument: DayInstrument) -> str:
    if instrument.expiry is None:
        return ""
    return str(int(datetime.combine(instrument.expiry, _EXPIRES_AT, IST).timestamp()))


def _strike(instrument: DayInstrument) -> float:
    return _rupees(instrument.strike) if instrument.option else -1.0


def _option(instrument: DayInstrument) -> str:
    return instrument.kind if instrument.option else "XX"


def _underlying(instrument: DayInstrument, day: date) -> DayInstrument:
    for found in instruments_on(day):
        if found.symbol == (instrument.underlying or instrument.symbol) and found.exchange in ("NSE", "BSE"):
            return found
    return instrument


def master_csv(name: str, day: date) -> str:
    """`/sym_details/{name}.csv`: 21 columns, no header."""
    return "".join(f"{_csv_row(instrument, day)}\n" for instrument in rows_of(name, day))


def _csv_row(instrument: DayInstrument, day: date) -> str:
    underlying = _underlying(instrument, day)
    cells = (
        fyers_token(instrument),
        _details(instrument),
        instrument_code(instrument),
        _lot(instrument),
        f"{_rupees(instrument.tick_size):g}",
        instrument.isin,
        _SESSION,
        day.isoformat(),
        _expiry(instrument),
        fyers_symbol(instrument),
        exchange_code(instrument),
        segment_code(instrument),
        instrument.token,
        instrument.underlying or instrument.symbol,
        underlying.token,
        _strike(instrument),
        _option(instrument),
        fyers_token(underlying),
        "None",
        0,
        0.0,
    )
    return ",".join(str(cell) for cell in cells)


def master_json(name: str, day: date, closes: dict[str, int]) -> bytes:
    """`/sym_details/{name}_sym_master.json`: an object by symbol.

    Args:
        closes: previous closes by `EXCHANGE:SYMBOL` (`Price`), where they are known.
    """
    rows = {fyers_symbol(found): _json_row(found, day, closes.get(found.key, 0)) for found in rows_of(name, day)}
    return msgspec.json.encode(rows)


def _json_row(instrument: DayInstrument, day: date, close: int) -> dict[str, object]:
    underlying = _underlying(instrument, day)
    low, high = price_band(close, instrument.tick_size)
    segment = segment_code(instrument)
    return {
        "fyToken": fyers_token(instrument),
        "isin": instrument.isin,
        "exSymbol": instrument.underlying or instrument.symbol,
        "symDetails": _details(instrument),
        "symTicker": fyers_symbol(instrument),
        "exchange": exchange_code(instrument),
        "segment": segment,
        "exSymName": instrument.name,
        "exToken": instrument.token,
        "exSeries": "EQ" if instrument.kind == "EQ" else "XX",
        "optType": _option(instrument),
        "underSym": instrument.underlying or instrument.symbol,
        "underFyTok": fyers_token(underlying),
        "exInstType": instrument_code(instrument),
        "minLotSize": _lot(instrument),
        "tickSize": _rupees(instrument.tick_size),
        "tradingSession": _SESSION,
        "lastUpdate": day.isoformat(),
        "expiryDate": _expiry(instrument),
        "strikePrice": _strike(instrument),
        "qtyFreeze": str(instrument.freeze),
        "tradeStatus": 0 if instrument.kind == "INDEX" else 1,
        "currencyCode": "INR",
        "upperPrice": _rupees(high),
        "lowerPrice": _rupees(low),
        "faceValue": 0.0,
        "qtyMultiplier": 1.0,
        "previousClose": _rupees(close),
        "previousOi": 0,
        "asmGsmVal": "",
        "exchangeName": exchange_name(instrument),
        "symbolDesc": instrument.name,
        "originalExpDate": None,
        "is_mtf_tradable": 0,
        "mtf_margin": 0.0,
        "stream": "",
    }


def index_map(day: date) -> dict[str, str]:
    """`/sym_details/index_hsm_mapping.json`: symbol of an index to its name on the market socket."""
    return {fyers_symbol(found): index_name(found) for found in instruments_on(day) if found.kind == "INDEX"}
