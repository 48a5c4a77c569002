"""`algo doctor`: what the local cluster needs, what is missing, and the command that gets it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from algo_local import packages
from algo_local.binaries import BINARIES, is_built
from algo_local.cgroups import hierarchies
from algo_local.paths import cache_dir, state_root

DISK_BYTES = 8 * 1024**3
MEMORY_KIB = 3 * 1024**2
_NAMESPACES = ("net", "mnt", "pid")


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked thing; `fix` is empty when it is well. `fatal` is False where `algo up` gets it by itself."""

    name: str
    well: bool
    detail: str
    fix: str = ""
    fatal: bool = True


def _root() -> Finding:
    well = os.geteuid() == 0
    return Finding("root", well, "yes" if well else "no", "" if well else "run as root: namespaces and mounts need it")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    well = sys.version_info >= (3, 11)
    return Finding("Python 3.11 or newer", well, version, "" if well else "apt-get install python3")


def _uv() -> Finding:
    found = shutil.which("uv")
    return Finding("uv", found is not None, found or "missing", "" if found else "python3 -m pip install uv")


def _debian_packages() -> Finding:
    try:
        lacking = packages.missing()
    except packages.PackageError as error:
        return Finding("Debian packages", False, str(error), "use Debian 12 or a derivative")
    fix = f"`algo up` installs them, or: apt-get install {' '.join(lacking)}" if lacking else ""
    return Finding("Debian packages", not lacking, ", ".join(lacking) or "all there", fix, fatal=False)


def _binaries() -> Finding:
    lacking = [name for name in BINARIES if not is_built(name)]
    detail = f"missing: {', '.join(lacking)}" if lacking else "all in the cache"
    fix = "`algo up` builds them, or: python -m algo_local.build" if lacking else ""
    return Finding("components", not lacking, detail, fix, fatal=False)


def _disk() -> Finding:
    folder = cache_dir()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    well = free >= DISK_BYTES
    return Finding("disk", well, f"{free / 1e9:.0f} GB free", "" if well else f"free 8 GB where {folder} is")


def _memory() -> Finding:
    text = Path("/proc/meminfo").read_text()
    available = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("MemAvailable"))
    well = available >= MEMORY_KIB
    return Finding("memory", well, f"{available / 1e6:.1f} GB available", "" if well else "free 3 GB of memory")


def _kernel() -> Finding:
    lacking = [name for name in _NAMESPACES if not Path(f"/proc/self/ns/{name}").exists()]
    overlay = "overlay" in Path("/proc/filesystems").read_text()
    groups = hierarchies()
    problems = [f"no {name} namespaces" for name in lacking]
    if not overlay:
        problems.append("no overlayfs (modprobe overlay)")
    if not groups:
        problems.append("no cgroups under /sys/fs/cgroup")
    fix = "use a machine or VM with these kernel features" if problems else ""
    return Finding("kernel", not problems, "; ".join(problems) or "namespaces, overlayfs, cgroups", fix)


def _state() -> Finding:
    folder = state_root()
    while not folder.exists():
        folder = folder.parent
    well = os.access(folder, os.W_OK)
    return Finding("state folder", well, str(state_root()), "" if well else "set ALGO_STATE_DIR to a writable folder")


CHECKS: tuple[Callable[[], Finding], ...] = (
    *(_root, _python, _uv, _kernel, _disk, _memory, _state),
    *(_debian_packages, _binaries),
)


def examine() -> list[Finding]:
    """Run all checks; changes nothing."""
    return [check() for check in CHECKS]
