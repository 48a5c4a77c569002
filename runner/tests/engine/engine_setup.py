"""The strategy, instrument, session and broker that the engine's tests trade with."""

from typing import Any

from algo_crds.contracts import wire
from algo_crds.contracts.orders import Side
from algo_crds.contracts.runtime import Desired, Level, RuntimeSpec, StrategySpec

RUPEE = 10_000
DAY = "2021-04-12"
MIDNIGHT = 1_618_165_800_000
"""Midnight of that day in India."""
STRATEGY = "str_01m8aaaaaaaaaaaaaaaaaaaaaa"


def at(text: str) -> int:
    """The instant of a time of the day."""
    hours, minutes, seconds = text.split(":")
    return MIDNIGHT + (int(hours) * 3600 + int(minutes) * 60) * 1000 + int(float(seconds) * 1000)


def seconds(text: str) -> int:
    """The seconds of a time of the day."""
    return (at(text) - MIDNIGHT) // 1000


def rupees(amount: float) -> int:
    """A price from rupees, for readable tests."""
    return round(amount * RUPEE)


def make_spec(**changes: Any) -> RuntimeSpec:
    """A strategy: RELIANCE, 10 shares, stop at 1 %; keywords change the spec or the runtime spec."""
    outer = {key: changes.pop(key) for key in tuple(changes) if key in RuntimeSpec.__struct_fields__ and key != "spec"}
    inner: dict[str, Any] = {
        "exchange": "NSE",
        "symbol": "RELIANCE",
        "side": Side.BUY,
        "quantity": 10,
        "buy_time": seconds("09:20:00"),
        "sell_time": seconds("15:05:00"),
        "stop_loss": Level(bp=100),
    }
    spec = StrategySpec(**(inner | changes))
    common: dict[str, Any] = {
        "strategy_id": STRATEGY,
        "tenant_id": "tnt_x",
        "name": "ns/one",
        "generation": 1,
        "desired": Desired.RUN,
    }
    return RuntimeSpec(**(common | outer), spec=spec)


CAPABILITY = wire.Capability(
    broker="zerodha",
    convert_stop_to_exit=True,
    modify_quantity_is_total=True,
    has_trigger_status=True,
    max_modifications=25,
    visibility_delay_ms=10_000,
    read_by_tag=False,
    max_trigger_gap_bp=0,
)
INSTRUMENT = wire.Instrument(
    exchange="NSE",
    symbol="RELIANCE",
    tick_size=500,
    lot=1,
    freeze_quantity=100_000,
    band_low=rupees(1800),
    band_high=rupees(2200),
    previous_close=rupees(2000),
)
SESSION = wire.SessionTimes(
    day=DAY,
    open=at("09:15:00"),
    last_new_order=at("15:20:00"),
    end_of_stops=at("15:30:00"),
    last_match=at("15:30:00"),
)
