"""The previous close of a recorded session, which sets the day's price band."""

from pathlib import Path

from algo_market.readers import BadRecordingError, Recording, read_recording
from algo_market.row_parsers import Trade
from algo_market.sessions import InstrumentClass, SessionUnknownError, previous_session_day, session_for


def previous_close_in(data: Path, symbol: str, recording: Recording) -> int | None:
    """The last bar of the trading day before, from `<data>/bars_1m/<day>/<symbol>.csv`, or None when it is not there.

    Args:
        data: the data folder, which holds `bars_1m`.
    """
    try:
        day = previous_session_day(recording.day)
        session = None if day is None else session_for("NSE", InstrumentClass.SHARE, day)
        if day is None or session is None:
            return None
        before = read_recording(data / "bars_1m" / day.isoformat(), symbol)
    except (FileNotFoundError, SessionUnknownError, BadRecordingError):
        return None
    inside = [row for row in before.rows() if session.open <= row.time < session.last_match]
    return inside[-1].price if inside else None


def first_price(trades: list[Trade]) -> int:
    """What stands in for a previous close that is not known: the first price in session; 0 when there is none."""
    return trades[0].price if trades else 0
