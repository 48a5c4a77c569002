"""The scrip master that everybody may fetch, and the search in it. Every value of it is text."""

from datetime import date

from algo_market.instruments import DayInstrument, instruments_on

from algo_simulator.angelone.errors import bad_input
from algo_simulator.angelone.names import angel_symbol, angel_token, expiry_word, instrument_type, short_name
from algo_simulator.angelone.order_forms import Form, text
from algo_simulator.front import Caller


def scrip_master(day: date) -> list[dict[str, object]]:
    """`OpenAPIScripMaster.json` of a day."""
    return [_row(instrument) for instrument in instruments_on(day)]


def _row(instrument: DayInstrument) -> dict[str, object]:
    index = instrument.kind == "INDEX"
    return {
        "token": angel_token(instrument),
        "symbol": angel_symbol(instrument),
        "name": short_name(instrument),
        "expiry": expiry_word(instrument),
        "strike": _hundredfold(instrument.strike) if instrument.option else "0.000000" if index else "-1.000000",
        "lotsize": str(instrument.lot),
        "instrumenttype": instrument_type(instrument),
        "exch_seg": instrument.exchange,
        "tick_size": "0.000000" if index else _hundredfold(instrument.tick_size),
        "freeze_qty": "0" if index else str(instrument.freeze),
        "is_cas_enabled": instrument.closing_auction,
    }


def _hundredfold(price: int) -> str:
    return f"{price // 100}.{price % 100:02}0000"


def search(caller: Caller, form: Form) -> list[dict[str, object]] | None:
    """`searchScrip`: symbols of an exchange that contain the text; null when there is none.

    Raises:
        AngelError: no exchange or no text.
    """
    exchange, wanted = text(form, "exchange"), text(form, "searchscrip").upper()
    if not exchange or not wanted:
        raise bad_input("exchange and searchscrip are required")
    return [
        {
            "exchange": instrument.exchange,
            "tradingsymbol": angel_symbol(instrument),
            "symboltoken": angel_token(instrument),
        }
        for instrument in instruments_on(caller.clock.world.spec.date)
        if instrument.exchange == exchange and wanted in angel_symbol(instrument).upper()
    ] or None
