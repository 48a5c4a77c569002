"""Processes by identity, not by number.

A pid alone is not a name: after a crash or a reboot the same number may belong to somebody else. An identity here is
the pid, the start time the kernel gave it and the boot it belongs to; signals go through a pidfd, so that the process
which was checked is the process that is hit.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process for ever: `started` is in clock ticks since boot (field 22 of /proc/PID/stat)."""

    pid: int
    started: int
    boot: str


class WaitTimeoutError(RuntimeError):
    """Something did not become true in time; the message says what, and where to look."""


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat_fields(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command name in field 2 may hold spaces and brackets: everything after its last bracket is safe to split.
    return text[text.rindex(")") + 2 :].split()


def identify(pid: int) -> ProcessIdentity | None:
    """Return the identity of a running process, or None when there is none (a zombie counts as gone)."""
    fields = _stat_fields(pid)
    if fields is None or fields[0] in {"Z", "X"}:
        return None
    return ProcessIdentity(pid=pid, started=int(fields[19]), boot=_boot())


def is_alive(identity: ProcessIdentity) -> bool:
    """Tell whether exactly this process still runs."""
    return identify(identity.pid) == identity


def write_record(path: Path, identity: ProcessIdentity) -> None:
    """Store an identity so that a later command can find the process; the file appears whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(identity)))
    draft.replace(path)


def read_record(path: Path) -> ProcessIdentity | None:
    """Read a stored identity; None when the file is absent or was cut short by a crash."""
    try:
        data = json.loads(path.read_text())
        return ProcessIdentity(pid=int(data["pid"]), started=int(data["started"]), boot=str(data["boot"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def send_signal(identity: ProcessIdentity, number: signal.Signals) -> bool:
    """Signal exactly this process; False when it is gone."""
    try:
        descriptor = os.pidfd_open(identity.pid)
    except (ProcessLookupError, OSError):
        return False
    try:
        if not is_alive(identity):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll until `condition` holds; raises WaitTimeoutError naming `what` after `seconds` of wall time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise WaitTimeoutError(f"{what} (waited {seconds:g} s)")
        time.sleep(POLL_SECONDS)


def terminate(identity: ProcessIdentity, grace_seconds: float) -> None:
    """End this process: SIGTERM, then SIGKILL after the grace; returns when it is gone."""
    if not send_signal(identity, signal.SIGTERM):
        return
    try:
        wait_until(lambda: not is_alive(identity), grace_seconds, f"process {identity.pid} ignores SIGTERM")
    except WaitTimeoutError:
        send_signal(identity, signal.SIGKILL)
        wait_until(lambda: not is_alive(identity), 30.0, f"process {identity.pid} survives SIGKILL")
