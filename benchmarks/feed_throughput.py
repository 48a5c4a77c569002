"""What a feed costs: decoding it, and bringing it to whoever wants it.

Decoding: frames a second of our decoders beside the official SDKs' own, on the same frames, in turns. `ratios.<broker>`
divides the one by the other in the mode that our adapter asks for; `richest` has the modes with more fields. The time
is that of the processor, and the figures are those of the round whose ratio is the median, so that a machine shared
with others gives the same ratios.

Fan-out: 3,000 instruments at 5 ticks a second each through a real gateway, 20 subscribers of one symbol and one of all
(`fanout.py`); `ratios` of these keys compare with a bare relay of the same frames.
"""

import argparse
import tempfile
from pathlib import Path

import uvloop
from decode_race import race
from fanout import figures, measure, window_figures
from feed_frames import all_frames
from report import emit

GOALS = {"ratios.<broker>": 5, "fanout_p99_ms": 50, "drop": 0, "gateway_cores": 1}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21, help="of each decoder")
    parser.add_argument("--seconds", type=int, default=30, help="of market through the gateway")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        races = {key: race(one, arguments.rounds, Path(directory)).figures() for key, one in all_frames().items()}
    with tempfile.TemporaryDirectory() as directory:
        found, bare, relay_cores = uvloop.run(measure(arguments.seconds, Path(directory)))
    metrics, floor = figures(found, bare, relay_cores)
    usual = {broker: one for (broker, kind), one in races.items() if kind == "usual"}
    emit(
        "feed_throughput",
        {broker: float(one["frames_s"]) for broker, one in usual.items()} | metrics,
        {broker: float(one["sdk_frames_s"]) for broker, one in usual.items()} | floor,
        arguments.rounds,
        goals=GOALS,
        decoding=usual,
        richest={broker: one for (broker, kind), one in races.items() if kind == "richest"},
        brokers_are="frames decoded a second of processor time in the median round; floor: the official SDK",
        fanout_is="the worse of the twenty and of the one; floor: the same frames through a bare process to one reader",
        windows=window_figures(found),
    )


if __name__ == "__main__":
    main()
