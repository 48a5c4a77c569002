"""The images of the local cluster: what is in each, and how they get into a cluster's containerd.

Bases come from Debian packages, dependencies from the lock file, sources from the tree. Only what changed is made
again: after an edit that is one layer of sources, and the import takes it alone.
"""

from __future__ import annotations

import compileall
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from algo_local.binaries import ensure_binary
from algo_local.locks import file_lock
from algo_local.node_config import PAUSE_IMAGE
from algo_local.oci import ImageConfig, Layer, read_layer, write_archive, write_layer
from algo_local.paths import cache_dir, repository_root
from algo_local.rootfs import ensure_rootfs

MEMBERS = ("crds", "market", "brokers", "kube", "runner", "gateway", "operator", "api", "simulator")
PACKAGES, SOURCES = "opt/algo/packages", "opt/algo/sources"
REGISTRY = "docker.io/library"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BASES: dict[str, tuple[str, ...]] = {
    "algo-trading": ("python3", "ca-certificates", "libstdc++6"),
    "redis": ("redis-server",),
    "postgresql": ("postgresql-15",),
}


class ImageError(RuntimeError):
    """An image was not made; the message names the step and its answer."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image ready for import. `fresh` are the layers that change often; the others a cluster may know already."""

    name: str
    tag: str
    config: ImageConfig
    layers: tuple[Layer, ...]
    fresh: tuple[Layer, ...] = ()

    @property
    def reference(self) -> str:
        """Return the full name with registry and tag."""
        return PAUSE_IMAGE if self.name == "pause" else f"{REGISTRY}/{self.name}:{self.tag}"


def _folder() -> Path:
    folder = cache_dir() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _tag(layers: Sequence[Layer], config: ImageConfig) -> str:
    text = "\0".join([*(layer.digest for layer in layers), repr(config)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _requirements() -> str:
    uv = shutil.which("uv")
    if uv is None:
        raise ImageError("uv is not on PATH; run `algo doctor`")
    command = [uv, "export", "--quiet", "--frozen", "--all-packages", "--no-dev", "--no-emit-workspace"]
    result = subprocess.run(  # noqa: S603 - fixed command
        [*command, "--no-header", "--no-annotate"], cwd=repository_root(), capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise ImageError(f"the lock file could not be read: {result.stderr.strip()[-500:]}")
    return result.stdout


def _install(requirements: str, target: Path) -> None:
    uv = shutil.which("uv") or "uv"
    listing = target.with_suffix(".txt")
    listing.write_text(requirements)
    command = [uv, "pip", "install", "--quiet", "--target", str(target), "--python-version", "3.11"]
    command += ["--python-platform", "x86_64-manylinux_2_36", "--only-binary=:all:", "--require-hashes"]
    result = subprocess.run(  # noqa: S603 - fixed command
        [*command, "-r", str(listing)], capture_output=True, text=True, check=False
    )
    listing.unlink()
    if result.returncode != 0:
        raise ImageError(f"the dependencies could not be installed: {result.stderr.strip()[-800:]}")


def _compile(folder: Path) -> None:
    """Compile ahead, because the container's file system is read-only; only the image's own Python may do it."""
    if sys.version_info[:2] == (3, 11):
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        compileall.compile_dir(str(folder), quiet=2, invalidation_mode=mode, workers=os.cpu_count() or 1)


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield f"{prefix}/{path.relative_to(folder)}", path


def _dependency_layer() -> Layer:
    requirements = _requirements()
    key = hashlib.sha256(f"{requirements}\0{sys.version_info[:2]}".encode()).hexdigest()[:12]
    target = _folder() / f"packages-{key}.tar"
    with file_lock(_folder() / ".packages.lock"):
        if target.exists():
            return read_layer(target)
        with tempfile.TemporaryDirectory(dir=_folder()) as work:
            packages = Path(work) / "packages"
            _install(requirements, packages)
            shutil.rmtree(packages / "bin", ignore_errors=True)
            _compile(packages)
            layer = write_layer(target, _files(packages, PACKAGES), {"usr/local/bin/python": "/usr/bin/python3"})
        _drop_others("packages", target)
        return layer


def _drop_others(name: str, kept: Path) -> None:
    for path in _folder().glob(f"{name}-*.tar"):
        if path != kept:
            path.with_suffix(".sha256").unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def copy_sources(target: Path) -> None:
    """Copy the members' packages into one folder, as the image has them."""
    for member in MEMBERS:
        source = repository_root() / member / f"algo_{member}"
        shutil.copytree(source, target / source.name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)


def _source_layer() -> Layer:
    with tempfile.TemporaryDirectory(dir=_folder()) as work, file_lock(_folder() / ".sources.lock"):
        sources = Path(work) / "sources"
        copy_sources(sources)
        digest = hashlib.sha256(str(sys.version_info[:2]).encode())
        for name, path in sorted(_files(sources, SOURCES)):
            digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        target = _folder() / f"sources-{digest.hexdigest()[:12]}.tar"
        if target.exists():
            return read_layer(target)
        # Compiled under the path that it has in the image, so that tracebacks name it.
        _compile(sources)
        layer = write_layer(target, _files(sources, SOURCES))
        return layer


def app_image() -> Image:
    """Return the image of all Python members; seconds when only sources changed."""
    base = ensure_rootfs("algo-trading", _BASES["algo-trading"])
    packages, sources = _dependency_layer(), _source_layer()
    environment = {
        "PATH": _PATH,
        "PYTHONPATH": f"/{SOURCES}:/{PACKAGES}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }
    config = ImageConfig(environment=environment, folder="/opt/algo")
    layers = (base, packages, sources)
    return Image("algo-trading", _tag(layers, config), config, layers, (sources,))


def redis_image() -> Image:
    """Return Redis from Debian's package."""
    layers = (ensure_rootfs("redis", _BASES["redis"]),)
    config = ImageConfig(environment={"PATH": _PATH}, command=("redis-server", "--dir", "/data"))
    return Image("redis", _tag(layers, config), config, layers)


def postgresql_image() -> Image:
    """Return PostgreSQL from Debian's package."""
    layers = (ensure_rootfs("postgresql", _BASES["postgresql"]),)
    config = ImageConfig(environment={"PATH": f"/usr/lib/postgresql/15/bin:{_PATH}"}, command=("postgres",))
    return Image("postgresql", _tag(layers, config), config, layers)


def pause_image() -> Image:
    """Return the image that holds a pod's namespaces."""
    target = _folder() / "pause.tar"
    layer = write_layer(target, [("pause", ensure_binary("pause"))])
    return Image("pause", "1", ImageConfig(entrypoint=("/pause",)), (layer,))


def prepare_bases(report: Callable[[str], None]) -> None:
    """Make the Debian bases that the cache lacks; meant to run beside the Go build."""
    for name, packages in _BASES.items():
        layer = ensure_rootfs(name, packages)
        report(f"base of {name}: {layer.size // 1_000_000} MB")


def import_into(image: Image, known: set[str], load: Callable[[Path], None]) -> bool:
    """Import an image unless the cluster knows it; False when it did. A known base is not sent again if that works."""
    if image.reference in known:
        return False
    archive = _folder() / f".{image.name}-{os.getpid()}-{threading.get_ident()}.oci.tar"
    try:
        earlier = any(name.startswith(f"{REGISTRY}/{image.name}:") for name in known)
        if image.fresh and earlier:
            try:
                load(write_archive(archive, image.reference, image.config, image.layers, image.fresh))
            except Exception:  # noqa: S110 - the whole archive below is the answer to any refusal
                pass
            else:
                return True
        load(write_archive(archive, image.reference, image.config, image.layers))
    finally:
        archive.unlink(missing_ok=True)
    return True


def main(arguments: Sequence[str]) -> int:
    """`python -m algo_local.images context FOLDER`: fill the build context of images/algo-trading/Dockerfile."""
    if len(arguments) != 2 or arguments[0] != "context":
        sys.stderr.write("usage: python -m algo_local.images context FOLDER\n")
        return 2
    target = Path(arguments[1])
    copy_sources(target / "sources")
    _install(_requirements(), target / "packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
