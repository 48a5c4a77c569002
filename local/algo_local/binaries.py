"""The cluster's compiled components: what each is, its cache key, and how it is built once.

The key covers everything that decides the bytes (module files, package, flags, sources of our own), so a changed pin
builds anew and an unchanged one is found in the cache. A lock per binary lets two builds run at once: neither builds
what the other is building, and a test that needs only etcd does not wait for all of them.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from algo_local.locks import file_lock
from algo_local.paths import cache_dir, native_sources
from algo_local.toolchain import find_go, required_version

_COMPONENT_VERSION = "k8s.io/component-base/version"


class BuildError(RuntimeError):
    """A component did not compile; the message holds the compiler's last words."""


@dataclass(frozen=True, slots=True)
class Binary:
    """One command: `module` is a folder under local/native, `package` what `go build` gets."""

    name: str
    module: str
    package: str
    pin: str

    @property
    def source(self) -> Path:
        """Return the folder of its go.mod."""
        return native_sources() / self.module


def _kubernetes(name: str) -> Binary:
    return Binary(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes")


# kube-apiserver first: it takes longest, and most of what it compiles is shared by the ones after it.
BINARIES: Mapping[str, Binary] = {
    binary.name: binary
    for binary in (
        _kubernetes("kube-apiserver"),
        Binary("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
        _kubernetes("kubectl"),
        _kubernetes("kube-controller-manager"),
        _kubernetes("kube-scheduler"),
        _kubernetes("kubelet"),
        _kubernetes("kube-proxy"),
        Binary("coredns", "coredns", "github.com/coredns/coredns", "github.com/coredns/coredns"),
        Binary("helm", "helm", "helm.sh/helm/v3/cmd/helm", "helm.sh/helm/v3"),
        Binary("pause", "pause", ".", ""),
    )
}


def pinned_version(binary: Binary) -> str:
    """Return the version its go.mod pins, for example `v1.35.4`; `v1` for our own source."""
    if not binary.pin:
        return "v1"
    text = (binary.source / "go.mod").read_text()
    found = re.search(rf"^(?:require\s+|\t){re.escape(binary.pin)} (v\S+)", text, re.MULTILINE)
    if found is None:
        raise BuildError(f"{binary.source}/go.mod does not require {binary.pin}")
    return found.group(1)


def link_flags(binary: Binary) -> str:
    """Return the linker flags: no symbol tables, and for Kubernetes the version it reports of itself."""
    if binary.module != "kubernetes":
        return "-s -w"
    version = pinned_version(binary)
    major, minor = version.removeprefix("v").split(".")[:2]
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    return "-s -w " + " ".join(f"-X {_COMPONENT_VERSION}.{name}={value}" for name, value in stamps.items())


def cache_key(binary: Binary) -> str:
    """Return a hash over everything that decides the binary's bytes but the compiler's own version."""
    digest = hashlib.sha256()
    for path in sorted(binary.source.iterdir()):
        if path.suffix in {".go", ".mod", ".sum"}:
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update(f"{binary.package}\0{link_flags(binary)}".encode())
    return digest.hexdigest()[:12]


def cached_path(binary: Binary) -> Path:
    """Return where the built binary belongs; the file may be absent."""
    return cache_dir() / "bin" / f"{binary.name}-{pinned_version(binary)}-{cache_key(binary)}"


def is_built(name: str) -> bool:
    """Tell whether the component is in the cache."""
    return cached_path(BINARIES[name]).exists()


def _compile(binary: Binary, target: Path) -> None:
    modules = [path / "go.mod" for path in native_sources().iterdir() if (path / "go.mod").exists()]
    go = find_go(required_version(modules))
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
    command = [str(go), "build", "-trimpath", "-ldflags", link_flags(binary), "-o", str(draft), binary.package]
    result = subprocess.run(  # noqa: S603 - a compiler found by this project with fixed arguments
        command, cwd=binary.source, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        draft.unlink(missing_ok=True)
        raise BuildError(f"{binary.name} did not build:\n{result.stderr[-2000:]}")
    draft.replace(target)


def _drop_older(binary: Binary, target: Path) -> None:
    for path in target.parent.glob(f"{binary.name}-v*"):
        # A running cluster keeps its old file open; unlinking does not disturb it.
        if path != target:
            path.unlink(missing_ok=True)


def ensure_binary(name: str) -> Path:
    """Return the path of a component, building it when the cache has none; safe for several callers at once.

    Raises BuildError or ToolchainError with the fix named.
    """
    binary = BINARIES[name]
    target = cached_path(binary)
    if target.exists():
        return target
    with file_lock(cache_dir() / "bin" / f".{name}.lock"):
        if not target.exists():
            _compile(binary, target)
            _drop_older(binary, target)
    return target
