"""The cgroup under which the kubelet makes its pods, in every hierarchy of the machine (v1, v2 or both)."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from algo_local.processes import identify, send_signal, wait_until

_ROOT = Path("/sys/fs/cgroup")


def hierarchies() -> list[Path]:
    """Return the roots of all cgroup hierarchies mounted under /sys/fs/cgroup."""
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    if not _ROOT.exists():
        return []
    # Links such as `cpu -> cpu,cpuacct` name the same hierarchy a second time.
    return [path for path in sorted(_ROOT.iterdir()) if path.is_dir() and not path.is_symlink()]


def create(name: str) -> None:
    """Make the cgroup in every hierarchy; cpuset must be filled before anything may enter it (v1)."""
    for root in hierarchies():
        group = root / name
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            source, target = root / setting, group / setting
            if source.exists() and target.exists() and not target.read_text().strip():
                target.write_text(source.read_text())
        if (root / "cgroup.controllers").exists():
            _delegate(root)


def _delegate(root: Path) -> None:
    for controller in (root / "cgroup.controllers").read_text().split():
        # A controller that cannot be handed down (threaded, in use by v1) is one the kubelet does not need.
        with contextlib.suppress(OSError):
            (root / "cgroup.subtree_control").write_text(f"+{controller}")


def members(name: str) -> set[int]:
    """Return the pids of all processes inside the cgroup, in any hierarchy."""
    found: set[int] = set()
    for root in hierarchies():
        for folder, _, files in os.walk(root / name):
            if "cgroup.procs" in files:
                with contextlib.suppress(OSError):
                    found.update(int(line) for line in (Path(folder) / "cgroup.procs").read_text().split())
    return found


def remove(name: str) -> None:
    """End what still runs inside and remove the cgroup everywhere; harmless when absent."""
    for pid in members(name):
        identity = identify(pid)
        if identity is not None:
            send_signal(identity, signal.SIGKILL)
    wait_until(lambda: not members(name), 30.0, f"processes in cgroup {name} survive SIGKILL")
    for root in hierarchies():
        for folder, _, _ in os.walk(root / name, topdown=False):
            # The kernel may count a process that just ended for a moment longer.
            wait_until(lambda at=Path(folder): _removed(at), 10.0, f"cgroup {folder} stays busy")  # type: ignore[misc]


def _removed(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()
