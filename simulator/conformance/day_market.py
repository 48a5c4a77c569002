"""The market of a scripted day: a share that falls and recovers, a second one, a future, an option and their index."""

from typing import Any, Final

from algo_simulator.testing import Sim, ticks

DATE: Final = "2025-08-01"
_CLOSES: Final = {"NSE:RELIANCE": "1390", "NSE:TCS": "2990", "NFO:NIFTY25AUGFUT": "24550", "NSE:NIFTY": "24450"}


def _seconds(prices: dict[int, str], last: int = 60) -> bytes:
    """One price a second from 09:15 on: each lasts until the next."""
    rows, price = [], ""
    for second in range(last):
        price = prices.get(second, price)
        rows.append((f"09:15:{second:02}", price))
    return ticks(rows, DATE)


async def open_market(sim: Sim, account: dict[str, Any]) -> None:
    """World `w` of that day, standing before the session, with the account, which holds a hundred shares."""
    records = {
        "NSE:RELIANCE": _seconds({0: "1401", 1: "1400", 20: "1391", 30: "1411"}),
        "NSE:TCS": _seconds({0: "3000"}),
        "NFO:NIFTY25AUGFUT": _seconds({0: "24600"}),
        "NFO:NIFTY2580724500CE": _seconds({0: "150"}),
        "NSE:NIFTY": _seconds({0: "24500"}),
    }
    await sim.world(
        records,
        accounts=[],
        date=DATE,
        symbols=list(records),
        previous_closes=_CLOSES,
        start_time="09:14:00",
        speed=20,
    )
    held = [{"symbol": "NSE:RELIANCE", "quantity": 100, "average_price": "1200"}]
    await sim.call("POST", "/worlds/w/accounts", {**account, "holdings": held}, status=201)
