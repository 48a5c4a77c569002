"""Runs every test suite: independent ones side by side, cluster suites last, and prints the time of each.

Output of a suite goes to a log under `.state/suites`; the tail of a failed one is printed. Exit status 1 if one failed.
A suite that failed runs its failed tests once more at the end, with nothing beside it, and the report says so: what
passes only then is a flaw to look into, printed as such, but no reason to throw a submission away.
A suite starts when those it needs have passed; what needs a failed one is reported as failed, not skipped.
"""

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from suites import SUITES, Suite

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".state" / "suites"
LANES = max(2, os.cpu_count() or 2) + 1
"""One more than there are processors: a suite waits a third of its time, for servers to start and for timers."""
TAIL = 80
_PYTEST = re.compile(r"(\d+) (passed|failed|error|errors|skipped)")


@dataclass
class Outcome:
    """How one suite ended."""

    suite: Suite
    seconds: float
    code: int
    counts: dict[str, int]
    again: bool = False
    """Whether this is the second run of a suite that had failed."""


@dataclass
class Run:
    """What the lanes share; guarded by `lock`."""

    waiting: list[Suite]
    lock: threading.Condition = field(default_factory=threading.Condition)
    running: list[Suite] = field(default_factory=list)
    done: dict[str, Outcome] = field(default_factory=dict)


def counts_of(log: str) -> dict[str, int]:
    """The numbers of pytest's closing lines, added up."""
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    for line in log.splitlines():
        if re.search(r"\bin [\d.]+s", line):
            for number, word in _PYTEST.findall(line):
                totals["failed" if word.startswith("error") else word] += int(number)
    return totals


def execute(suite: Suite, *, again: bool = False) -> Outcome:
    """Run one suite to its end; `again`: only the tests that failed before."""
    path = LOGS / f"{suite.name}{'.again' if again else ''}.log"
    failed_only = ("--last-failed", "--last-failed-no-failures=none", "--no-cov")
    command = (*suite.command, *failed_only) if again else suite.command
    begun = time.monotonic()
    with path.open("wb") as log:
        process = subprocess.run(
            command,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **suite.environment},
            check=False,
        )
    log_text = path.read_text(errors="replace")
    return Outcome(suite, time.monotonic() - begun, process.returncode, counts_of(log_text), again)


def next_suite(run: Run) -> Suite | None:
    """The first suite that may start now: its needs have passed, and nothing runs that it cannot run beside."""
    for suite in run.waiting:
        if not all(need in run.done for need in suite.needs):
            continue
        if suite.alone and run.running:
            continue
        if any(other.alone for other in run.running):
            continue
        return suite
    return None


def report(outcome: Outcome) -> None:
    """One line of a suite that ended, and the end of its log if it failed."""
    words = ", ".join(f"{number} {word}" for word, number in outcome.counts.items() if number)
    verdict = "ok" if outcome.code == 0 else f"FAILED ({outcome.code})"
    if outcome.again:
        verdict = "FLAKY, ok now" if outcome.code == 0 else "FAILED AGAIN"
    print(f"{outcome.suite.name:<14} {verdict:<14} {outcome.seconds:7.1f} s  {words}", flush=True)
    if outcome.code != 0:
        name = f"{outcome.suite.name}{'.again' if outcome.again else ''}.log"
        lines = (LOGS / name).read_text(errors="replace").splitlines()
        print("\n".join(f"    | {line}" for line in lines[-TAIL:]), flush=True)


def lane(run: Run) -> None:
    """Take suites until none is left."""
    while True:
        with run.lock:
            while (suite := next_suite(run)) is None:
                if not run.waiting:
                    return
                run.lock.wait(1)
            run.waiting.remove(suite)
            run.running.append(suite)
        unmet = [need for need in suite.needs if run.done[need].code != 0]
        if unmet:
            (LOGS / f"{suite.name}.log").write_text(f"not run: {', '.join(unmet)} failed\n")
            outcome = Outcome(suite, 0.0, 1, {})
        else:
            outcome = execute(suite)
        with run.lock:
            run.running.remove(suite)
            run.done[suite.name] = outcome
            report(outcome)
            run.lock.notify_all()


def second_runs(run: Run) -> list[str]:
    """Give each failed test suite one more run of what failed; the names of those that passed then."""
    passed = []
    for name, outcome in list(run.done.items()):
        if outcome.code == 0 or not outcome.seconds or "pytest" not in outcome.suite.command:
            continue
        second = execute(outcome.suite, again=True)
        report(second)
        if second.code == 0:
            counts = {**outcome.counts, "failed": 0, "passed": outcome.counts["passed"] + second.counts["passed"]}
            run.done[name] = Outcome(outcome.suite, outcome.seconds + second.seconds, 0, counts, again=True)
            passed.append(name)
    return passed


def chosen(only: Sequence[str]) -> list[Suite]:
    """The suites to run; with `only`, those and what they need."""
    if not only:
        return list(SUITES)
    wanted = set(only)
    for suite in reversed(SUITES):
        if suite.name in wanted:
            wanted.update(suite.needs)
    return [suite for suite in SUITES if suite.name in wanted]


def main() -> int:
    """Run the suites and print the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(f"{suite.name:<14} {suite.title}" for suite in SUITES))
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    data = Path(os.environ.get("ALGO_DATA_DIR", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        print(
            f"NOTE: no recorded market data at {data}: the synthetic session stands in, its own tests are left out",
            flush=True,
        )
    begun = time.monotonic()
    run = Run(chosen(arguments.only))
    threads = [threading.Thread(target=lane, args=(run,)) for _ in range(LANES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    flaky = second_runs(run)
    outcomes = list(run.done.values())
    totals = {word: sum(o.counts.get(word, 0) for o in outcomes) for word in ("passed", "failed", "skipped")}
    broken = [o.suite.name for o in outcomes if o.code != 0]
    print(f"\n{len(outcomes)} suites in {time.monotonic() - begun:.0f} s; failed: {', '.join(broken) or 'none'}")
    if flaky:
        print(f"FLAKY: {', '.join(flaky)} failed at first and passed when run again alone; see .state/suites")
    print(f"tests: {totals['passed']} passed, {max(totals['failed'], len(broken))} failed, {totals['skipped']} skipped")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
