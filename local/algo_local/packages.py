"""The Debian packages that the cluster needs; `python -m algo_local.packages` installs those that are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from algo_local.locks import file_lock
from algo_local.paths import cache_dir

# Package -> a command or path it brings, and what for; the one table that `up` and `doctor` read.
PACKAGES: Mapping[str, str] = {
    "containerd": "runs the pods",
    "runc": "starts containers",
    "containernetworking-plugins": "gives pods their network",
    "mmdebstrap": "makes the images' base",
    "iptables": "services and the way out",
    "nftables": "iptables' backend",
    "conntrack": "kube-proxy cleans connections with it",
    "iproute2": "links and addresses",
    "socat": "port forwarding",
    "redis-server": "tests with a real Redis",
    "postgresql": "tests with a real PostgreSQL",
    "ca-certificates": "TLS to package registries",
}

Report = Callable[[str], None]


class PackageError(RuntimeError):
    """A package could not be installed; the message names the command to run by hand."""


def missing(names: Sequence[str] = tuple(PACKAGES)) -> list[str]:
    """Return those of the packages that dpkg does not know as installed."""
    command = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *names]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
    except FileNotFoundError as error:
        raise PackageError("this needs Debian or a derivative: there is no dpkg-query") from error
    installed = {line.split()[0] for line in result.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def _apt(*arguments: str) -> None:
    # Services of packages must not start by themselves: the cluster runs its own.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    command = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode != 0:
        raise PackageError(f"`{' '.join(command)}` failed:\n{(result.stderr or result.stdout)[-1500:]}")


def ensure_packages(report: Report, names: Sequence[str] = tuple(PACKAGES)) -> None:
    """Install what is missing and nothing else; no work and no network when all is there. Raises PackageError."""
    wanted = missing(names)
    if not wanted:
        report("all there")
        return
    if os.geteuid() != 0:
        raise PackageError(f"root is needed once: apt-get install {' '.join(wanted)}")
    if shutil.which("apt-get") is None:
        raise PackageError(f"there is no apt-get; install by hand: {' '.join(wanted)}")
    with file_lock(cache_dir() / "apt.lock"):
        wanted = missing(names)
        began = time.monotonic()
        if wanted:
            report(f"installing {', '.join(wanted)} ...")
            _apt("update")
            _apt("install", "--no-install-recommends", *wanted)
            report(f"{len(wanted)} installed in {time.monotonic() - began:.0f} s")


def main() -> int:
    """Install what is missing; 1 when that failed."""
    try:
        ensure_packages(lambda line: print(line, flush=True))  # noqa: T201 - this is a command
    except PackageError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
