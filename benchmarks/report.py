"""The one JSON object that every benchmark prints as its last line.

`metrics` are ours, `floor` is the same work done by the bare parts in the same run; `ratios` divide one by the other
where both name the same key. Units are part of the names.
"""

import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def quantile(values: Sequence[float], share: float) -> float:
    """The nearest-rank quantile of the values; `share` between 0 and 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def _machine() -> dict[str, object]:
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_1m": round(os.getloadavg()[0], 2),
    }


def _commit() -> str:
    result = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return result.stdout.strip() or "unknown"


def emit(
    name: str, metrics: Mapping[str, float], floor: Mapping[str, float], n: int, **more: object
) -> dict[str, object]:
    """Print the object and return it."""
    report: dict[str, object] = {
        "name": name,
        "metrics": {key: round(value, 3) for key, value in metrics.items()},
        "floor": {key: round(value, 3) for key, value in floor.items()},
        "ratios": {key: round(metrics[key] / floor[key], 2) for key in metrics if floor.get(key)},
        "n": n,
        **more,
        "machine": _machine(),
        "commit": _commit(),
    }
    print(json.dumps(report))
    return report
