"""How much memory one idle runner takes, and how soon after its start it is armed.

Beside the floor: bare Python in which the same third-party libraries are imported and nothing runs. The gateway here is
a double in this process; Redis is real. Prints one JSON object as its last line.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "runner" / "tests" / "shell"))

from shell_gateway import FakeGateway  # noqa: E402
from shell_processes import RedisServer, RunnerProcess, make_spec  # noqa: E402

GOAL_RSS_MB = 45
GOAL_ARMED_S = 1.0
SETTLE_S = 2.0
LIBRARIES = "asyncio, logging, uvloop, msgspec, msgspec.json, picows, hiredis"
FLOOR = f"import {LIBRARIES}\nimport sys, time\nprint('up', flush=True)\nsys.stdin.read()\n"


def rss_mb(pid: int) -> float:
    """Resident memory of a process, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def private_mb(pid: int) -> float:
    """Memory that only this process has (what one more runner on a node costs), in MiB."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in rollup if line.startswith("Private_")) / 1024


def floor() -> tuple[float, float]:
    """Memory of bare Python with the libraries, and seconds until it has imported them."""
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", FLOOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        up = time.perf_counter() - started
        memory = rss_mb(process.pid)
        process.kill()
    return memory, up


async def one(directory: Path, redis: RedisServer) -> tuple[float, float, float]:
    """Memory (whole, private) of an idle runner, and seconds from its start until it said `Armed`."""
    gateway = FakeGateway()
    await gateway.start()
    redis.call("FLUSHALL")
    redis.put_spec(make_spec())
    runner = RunnerProcess(directory, redis.port, gateway.port)
    started = time.perf_counter()
    runner.start()
    try:
        async with asyncio.timeout(30):
            await gateway.armed.wait()
        armed = time.perf_counter() - started
        await asyncio.sleep(SETTLE_S)
        assert runner.process is not None
        return rss_mb(runner.process.pid), private_mb(runner.process.pid), armed
    finally:
        runner.kill()
        await gateway.stop()


async def measure(count: int) -> dict[str, object]:
    """The whole measurement."""
    with tempfile.TemporaryDirectory(prefix="footprint-") as name:
        directory = Path(name)
        (directory / "redis").mkdir()
        redis = RedisServer(directory / "redis")
        redis.start()
        try:
            runs = [await one(directory, redis) for _ in range(count)]
        finally:
            redis.stop()
    floors = [floor() for _ in range(count)]
    rss, private, armed = (statistics.median(column) for column in zip(*runs, strict=True))
    floor_rss, floor_up = (statistics.median(column) for column in zip(*floors, strict=True))
    return {
        "name": "runner_footprint",
        "metrics": {
            "rss_mb": round(rss, 1),
            "private_mb": round(private, 1),
            "armed_s": round(armed, 3),
            "armed_worst_s": round(max(run[2] for run in runs), 3),
        },
        "goals": {"rss_mb": GOAL_RSS_MB, "armed_s": GOAL_ARMED_S},
        "floor": {"rss_mb": round(floor_rss, 1), "imported_s": round(floor_up, 3), "libraries": LIBRARIES},
        "ratios": {"rss": round(rss / floor_rss, 2), "armed": round(armed / floor_up, 2)},
        "n": count,
        "machine": {"cpus": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "commit": commit(),
    }


def commit() -> str:
    """The commit that was measured."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=5, help="number of runners started one after the other")
    print(json.dumps(asyncio.run(measure(parser.parse_args().n))))


if __name__ == "__main__":
    main()
