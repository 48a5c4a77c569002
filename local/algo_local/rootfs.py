"""Root file systems from Debian packages, made by mmdebstrap and kept in the cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence

from algo_local.locks import file_lock
from algo_local.oci import Layer, read_layer
from algo_local.paths import cache_dir

# The Debian whose Python is 3.11, on which the members run.
SUITE = "bookworm"
_USER = "algo:x:10001:10001::/nonexistent:/usr/sbin/nologin"
_UNNEEDED = (
    *("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/lintian/*"),
    *("/usr/share/bash-completion/*", "/usr/share/zsh/*"),
    # PostgreSQL without its just-in-time compiler: 120 MB that only large analytical queries would use.
    *("/usr/lib/*/libLLVM*", "/usr/lib/postgresql/*/lib/llvmjit*", "/usr/lib/postgresql/*/lib/bitcode/*"),
)
_ONE_HOOKS = (
    # No database inside the image: the pod makes it in its volume.
    'mkdir -p "$1/etc/postgresql-common"',
    'echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"',
)


class RootfsError(RuntimeError):
    """mmdebstrap failed; the message holds its last words."""


def arguments(packages: Sequence[str], target: str) -> list[str]:
    """Return the mmdebstrap command for a small system with these packages and the user 10001."""
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=essential", "--skip=output/dev"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _UNNEEDED]
    command += [f"--essential-hook={hook}" for hook in _ONE_HOOKS]
    command += [
        f'--customize-hook=echo "{_USER}" >> "$1/etc/passwd"',
        '--customize-hook=echo "algo:x:10001:" >> "$1/etc/group"',
        '--customize-hook=rm -rf "$1/var/cache/apt" "$1/var/lib/apt/lists" "$1/var/log/apt"',
    ]
    return [*command, f"--include={','.join(packages)}", SUITE, target]


def ensure_rootfs(name: str, packages: Sequence[str]) -> Layer:
    """Return the cached root file system, making it first (under a minute). Raises RootfsError."""
    key = hashlib.sha256("\0".join(arguments(packages, "")).encode()).hexdigest()[:12]
    folder = cache_dir() / "images"
    target = folder / f"{name}-{key}.tar"
    with file_lock(folder / f".{name}.lock"):
        if not target.exists():
            draft = folder / f".{name}-{os.getpid()}.tar"
            # Fixed time: the same packages give the same layer.
            environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
            result = subprocess.run(  # noqa: S603 - fixed command
                arguments(packages, str(draft)), env=environment, capture_output=True, text=True, check=False
            )
            if result.returncode != 0:
                draft.unlink(missing_ok=True)
                raise RootfsError(f"the base of image {name} was not made:\n{result.stderr[-1500:]}")
            draft.replace(target)
    return read_layer(target)
