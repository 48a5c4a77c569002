"""Builds every component of the local cluster: `python -m algo_local.build [NAME ...]`.

Prints one line per component with the time it took; a second run finds all in the cache and takes no time. Several runs
at once share the work.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from algo_local.binaries import BINARIES, BuildError, ensure_binary, is_built, pinned_version
from algo_local.toolchain import ToolchainError

Report = Callable[[str], None]


def build_all(report: Report, names: Sequence[str] = ()) -> None:
    """Build the named components (default: all, the longest first) and report one line for each.

    Raises BuildError or ToolchainError for the first that fails.
    """
    wanted = list(names) or list(BINARIES)
    for position, name in enumerate(wanted, start=1):
        label = f"[{position}/{len(wanted)}] {name} {pinned_version(BINARIES[name])}"
        if is_built(name):
            report(f"{label}: in the cache")
            continue
        report(f"{label}: building ...")
        began = time.monotonic()
        ensure_binary(name)
        report(f"{label}: built in {time.monotonic() - began:.0f} s")


def main(arguments: Sequence[str]) -> int:
    """Run the command; 1 when something did not build, 2 for an unknown name."""
    unknown = [name for name in arguments if name not in BINARIES]
    if unknown:
        sys.stderr.write(f"unknown component: {', '.join(unknown)}; known: {', '.join(BINARIES)}\n")
        return 2
    try:
        build_all(lambda line: print(line, flush=True), arguments)  # noqa: T201 - this is a command
    except (BuildError, ToolchainError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
