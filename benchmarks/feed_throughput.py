"""Frames decoded a second, our decoders beside the official SDKs' own on the same frames, in turns.

`ratios.<broker>` divides our frames a second by the SDK's, in the mode that our adapter asks for; `richest` has the
modes with more fields. The time is that of the processor, so that a machine shared with others gives the same figures.
"""

import argparse
import tempfile
from pathlib import Path

from decode_race import race
from feed_frames import all_frames
from report import emit

GOALS = {"ratios.<broker>": 5}


def decoding(rounds: int, directory: Path) -> dict[tuple[str, str], dict[str, float | str | int]]:
    """Every race, by broker and `usual` or `richest`."""
    return {key: race(frames, rounds, directory).figures() for key, frames in all_frames().items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as directory:
        found = decoding(rounds, Path(directory))
    usual = {broker: figures for (broker, kind), figures in found.items() if kind == "usual"}
    emit(
        "feed_throughput",
        {broker: float(figures["frames_s"]) for broker, figures in usual.items()},
        {broker: float(figures["sdk_frames_s"]) for broker, figures in usual.items()},
        rounds,
        goals=GOALS,
        decoding=usual,
        richest={broker: figures for (broker, kind), figures in found.items() if kind == "richest"},
        brokers_are="frames decoded a second of processor time, the median of the rounds; floor: the official SDK",
    )


if __name__ == "__main__":
    main()
