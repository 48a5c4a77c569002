"""Our decoders against the official SDKs' on the same frames: first that both read the same prices, then the time.

The SDK runs unmodified in an environment and process of its own; one side decodes, then the other, in turns. Ours make
what the gateway takes, ticks with whole prices, of what the decoder keeps between frames too (topics, sequences); the
SDK makes its own record of each packet.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "simulator" / "conformance"))

from algo_brokers.angelone import stream as angelone  # noqa: E402
from algo_brokers.dhan import stream as dhan  # noqa: E402
from algo_brokers.fyers import market_state  # noqa: E402
from algo_brokers.fyers import stream as fyers  # noqa: E402
from algo_brokers.records import FeedTick  # noqa: E402
from algo_brokers.zerodha import stream as zerodha  # noqa: E402
from feed_frames import Frames  # noqa: E402
from sdk_environment import sdk_python  # noqa: E402

DRIVERS = ROOT / "benchmarks" / "sdk_decoders"
_PAISA_TICK = 500
_PASSES = 8
"""Ours over the frames in one round: about as long as the SDK takes for one, so that both are as warm."""
Decode = Callable[[bytes], object]


@dataclass
class Race:
    """Frames a second of each round, ours and the SDK's."""

    frames: Frames
    ours: list[float] = field(default_factory=list)
    sdk: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float | str | int]:
        """Everything of this race, for the report: the round whose ratio is the median of all.

        Two sides of one round run side by side in time, so that a processor that is slower for a while slows both; the
        medians of the sides could be of different whiles.
        """
        rounds = sorted(zip(self.ours, self.sdk, strict=True), key=lambda one: one[0] / one[1])
        ours, sdk = rounds[len(rounds) // 2]
        return {
            "mode": self.frames.mode,
            "bytes_a_frame": len(self.frames.frames[-1]),
            "ticks_a_frame": round(self.frames.ticks / len(self.frames.frames), 2),
            "frames_s": round(ours),
            "sdk_frames_s": round(sdk),
            "ratio": round(ours / sdk, 2),
            "ratio_of_bests": round(max(self.ours) / max(self.sdk), 2),
        }


def _decoder(frames: Frames) -> Decode:
    """What our feed does with a frame, before it hands the ticks on; with nothing remembered of earlier frames."""
    if frames.broker == "zerodha":
        return zerodha.decode_binary
    if frames.broker == "dhan":
        return lambda frame: dhan.decode(frame, _paisa_tick)
    if frames.broker == "fyers":
        apply = market_state.MarketState(frames.topics).apply

        def of_topics(frame: bytes) -> list[FeedTick]:
            message = fyers.decode(frame, market_state.TOLD)
            assert isinstance(message, fyers.Data)
            return apply(message)

        return of_topics
    read = angelone.Prices().tick

    def in_order(packet: bytes) -> list[FeedTick]:
        tick = read(packet)
        return [] if tick is None else [tick]

    return in_order


def _paisa_tick(_token: int) -> int:
    return _PAISA_TICK


def _ticks(decoded: object) -> list[FeedTick]:
    """Dhan's decoder tells the end of a connection beside the prices."""
    found = decoded[0] if isinstance(decoded, tuple) else decoded
    assert isinstance(found, list)
    return found


def _time(frames: Frames) -> float:
    """Frames a second, once: some passes, each by a decoder that remembers nothing of the one before."""
    spent = 0
    for decode in [_decoder(frames) for _ in range(_PASSES)]:
        begun = time.thread_time_ns()
        for frame in frames.frames:
            decode(frame)
        spent += time.thread_time_ns() - begun
    return _PASSES * len(frames.frames) * 1e9 / spent


class _Sdk:
    """The SDK's process."""

    def __init__(self, frames: Frames, directory: Path) -> None:
        path = directory / f"{frames.broker}-{frames.mode}.frames"
        frames.write(path)
        names = json.dumps({topic: str(token) for topic, token in frames.topics.items()})
        self._count = len(frames.frames)
        with (directory / f"{frames.broker}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(sdk_python(frames.broker)), str(DRIVERS / f"{frames.broker}.py"), str(path), names],
                env={**os.environ, "TZ": "Asia/Kolkata"},
                cwd=directory,  # some keep log files where they are
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._line() == "ready", (directory / f"{frames.broker}.log").read_text()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def ask(self, what: str) -> str:
        """Say a line, hear one."""
        assert self._process.stdin is not None
        print(what, file=self._process.stdin, flush=True)
        return self._line()

    def time(self) -> float:
        """Frames a second, once."""
        return self._count * 1e9 / int(self.ask("round"))

    def prices(self) -> list[list[tuple[int, int]]]:
        """(token, price) of each frame."""
        return [[(token, price) for token, price in one] for one in json.loads(self.ask("check"))]

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def race(frames: Frames, rounds: int, directory: Path) -> Race:
    """Check that both read the same prices from every frame, then take the time in turns.

    Raises:
        AssertionError: they differ; the first frame that shows it is part of the message.
    """
    found, sdk = Race(frames), _Sdk(frames, directory)
    try:
        decode, total = _decoder(frames), 0
        for number, (frame, theirs) in enumerate(zip(frames.frames, sdk.prices(), strict=True)):
            ours = [(tick.token, tick.price) for tick in _ticks(decode(frame))]
            assert ours == theirs, f"{frames.broker} {frames.mode} frame {number}: {ours} and {theirs}"
            total += len(ours)
        assert total == frames.ticks, f"{total} of {frames.ticks} prices were read"
        _time(frames), sdk.time()  # let caches fill
        for _ in range(rounds):
            found.ours.append(_time(frames))
            found.sdk.append(sdk.time())
    finally:
        sdk.stop()
    return found
