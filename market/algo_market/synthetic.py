"""A market made from a seed, for the demo and the tests where no recorded data is at hand.

By default the price keeps near its opening until a while after the usual entry, then slides through a one percent
stop within some minutes, so that the main job is seen. The same seed gives the same session on any machine.
"""

from array import array
from datetime import date
from random import Random
from typing import Final

from algo_market.readers import Recording

_LEVEL_BP: Final = 25
"""How far the walk strays from its path, in basis points of the opening price."""
_FALL_BP: Final = 220
"""Depth of the slide: past a 1 % stop and its limit band."""
BASES: Final = {
    "RELIANCE": 19_500_000,
    "TCS": 32_400_000,
    "INFY": 14_400_000,
    "HDFCBANK": 14_000_000,
    "ICICIBANK": 5_500_000,
    "SBIN": 3_500_000,
    "NIFTY": 145_000_000,
    "BANKNIFTY": 315_000_000,
}
"""Opening prices by symbol (`Price` units); any other symbol opens at 1000 rupees."""


def synthetic_session(
    symbol: str,
    day: date,
    seed: int,
    *,
    opens: int,
    closes: int,
    tick_size: int,
    falls: bool = True,
) -> Recording:
    """One price a second from `opens` to before `closes` (instants, ms).

    Args:
        seed: the same seed and symbol give the same prices.
        falls: whether the price slides through a one percent stop; otherwise it stays near its opening.
    """
    random = Random(f"{symbol}/{day}/{seed}")  # noqa: S311 - a market for tests, not a secret
    base = BASES.get(symbol, 10_000_000) // tick_size * tick_size
    seconds = (closes - opens) // 1000
    fall_from = seconds * random.randint(20, 35) // 100
    fall_for = random.randint(300, 900)
    reach = base * _LEVEL_BP // 10_000 // tick_size
    depth = base * _FALL_BP // 10_000 // tick_size if falls else 0
    times, prices, volumes = array("q"), array("q"), array("q")
    walk, total = 0, 0
    for second in range(seconds):
        # Pulled back towards the path, so that only the slide crosses the stop.
        pull = (walk > reach // 2) - (walk < -(reach // 2))
        walk = max(-reach, min(reach, walk + random.choice((-2, -1, 0, 0, 1, 2)) - pull))
        fallen = depth * min(max(second - fall_from, 0), fall_for) // fall_for
        total += random.randint(0, 400)
        times.append(opens + second * 1000)
        prices.append(base + (walk - fallen) * tick_size)
        volumes.append(total)
    return Recording(
        name=f"synthetic {symbol}", day=day, layout="synthetic", times=times, prices=prices, volumes=volumes
    )
