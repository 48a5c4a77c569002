"""Market frames of every broker, made by the simulator's own encoders from one made-up walk of prices.

Both sides of a comparison read these: our decoders and the official SDKs'. `usual` is the mode that our adapter asks
for, `richest` the one with the most fields that still has the last price.
"""

import random
import struct
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from algo_market.instruments import instrument_on
from algo_market.readers import Recording
from algo_market.row_parsers import Trade
from algo_market.sessions import class_of, session_for
from algo_simulator.angelone import frames as angelone
from algo_simulator.angelone.market_socket import tick_of
from algo_simulator.dhan import frames as dhan
from algo_simulator.fyers import frames as fyers
from algo_simulator.fyers import topics
from algo_simulator.market import Market
from algo_simulator.zerodha import frames as zerodha
from fleet import SHARES

DAY = date(2025, 8, 1)
SECONDS = 200
_FIRST_PRICE = 20_000_000
_STEP = 500


@dataclass(frozen=True)
class Frames:
    """What one broker sends in one mode."""

    broker: str
    mode: str
    frames: list[bytes]
    ticks: int
    topics: dict[str, int] = field(default_factory=dict)
    """Fyers: the token of each topic."""

    def write(self, path: Path) -> None:
        """For another process: each frame after its length."""
        path.write_bytes(b"".join(struct.pack("<I", len(one)) + one for one in self.frames))


def _market(number: int, symbol: str) -> Market:
    """A share that trades once a second, each time at another price and with more volume."""
    instrument = instrument_on("NSE", symbol, DAY)
    session = session_for("NSE", class_of(instrument), DAY)
    assert session is not None
    chance, price, volume = random.Random(number), _FIRST_PRICE + number * 1_000_000, 0
    times, prices, volumes = array("q"), array("q"), array("q")
    for second in range(SECONDS):
        price += chance.choice((-3, -2, -1, 1, 2, 3)) * _STEP
        volume += chance.randint(1, 500)
        times.append(session.open + second * 1000)
        prices.append(price)
        volumes.append(volume)
    recording = Recording(name=symbol, day=DAY, layout="made", times=times, prices=prices, volumes=volumes)
    return Market(instrument, session, recording, _FIRST_PRICE, 0)


def _seconds() -> Iterator[list[tuple[Market, Trade]]]:
    markets = [_market(number, symbol) for number, symbol in enumerate(SHARES)]
    opens = markets[0].session.open
    for second in range(SECONDS):
        now = opens + second * 1000
        for market in markets:
            for _ in market.due_trades(now):  # counts the day's figures
                pass
        yield [(market, row) for market in markets for row in market.due_rows(now)]


def _zerodha(mode: str) -> Frames:
    """One frame a second with the packets of all shares."""
    found = [zerodha.frame([zerodha.packet(mode, market, row) for market, row in rows]) for rows in _seconds()]
    return Frames("zerodha", mode, found, SECONDS * len(SHARES))


def _single(broker: str, mode: str, packet: Callable[[int, Market, Trade], bytes]) -> Frames:
    """One packet a message."""
    found = [packet(second, market, row) for second, rows in enumerate(_seconds()) for market, row in rows]
    return Frames(broker, mode, found, len(found))


def _angelone(mode: int, name: str) -> Frames:
    def packet(second: int, market: Market, row: Trade) -> bytes:
        return angelone.packet(mode, tick_of(market, row, second + 1, row.time))

    return _single("angelone", name, packet)


def _fyers() -> Frames:
    """A snapshot of each topic, then one update a frame."""
    found: list[bytes] = []
    before: dict[str, list[int]] = {}
    tokens: dict[str, int] = {}
    for rows in _seconds():
        for number, (market, row) in enumerate(rows):
            token = market.instrument.token
            topic = topics.Topic(f"sf|nse_cm|{token}", market)
            values = topics.values(topic.kind, market, row)
            if topic.name not in before:
                tokens[topic.name] = token
                item = fyers.snapshot(number + 1, topic.name, values, topic.names)
            else:
                changed = fyers.changes(before[topic.name], values)
                assert changed is not None
                item = fyers.update(number + 1, changed)
            before[topic.name] = values
            found.append(fyers.data_frame(len(found) + 1, [item]))
    return Frames("fyers", "full", found, len(found), tokens)


def all_frames() -> dict[tuple[str, str], Frames]:
    """By broker and `usual` or `richest`; Zerodha and Fyers are asked for their richest mode."""
    return {
        ("zerodha", "usual"): _zerodha("full"),
        ("dhan", "usual"): _single("dhan", "quote", lambda _second, market, row: dhan.quote(market, row)),
        ("dhan", "richest"): _single("dhan", "full", lambda _second, market, row: dhan.full(market, row)),
        ("fyers", "usual"): _fyers(),
        ("angelone", "usual"): _angelone(angelone.QUOTE, "quote"),
        ("angelone", "richest"): _angelone(angelone.SNAP_QUOTE, "snap quote"),
    }
