"""Writes OCI image archives that containerd imports, from layers that are plain tar files.

Used by the local cluster only, where it makes a changed source layer a matter of seconds; for a registry the
Dockerfiles under images/ are the source. Layers are deterministic: the same files give the same digest.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True, slots=True)
class Layer:
    """One uncompressed layer; `digest` is sha256 of the file, in hex."""

    path: Path
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What a container of the image starts with."""

    environment: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    entrypoint: Sequence[str] = ()
    user: str = "10001:10001"
    folder: str = "/"


def read_layer(path: Path) -> Layer:
    """Describe a tar file as a layer; its digest is remembered beside it, because base layers are large."""
    note = path.with_suffix(".sha256")
    if note.exists() and note.stat().st_mtime >= path.stat().st_mtime:
        return Layer(path, note.read_text(), path.stat().st_size)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    note.write_text(digest)
    return Layer(path, digest, path.stat().st_size)


def write_layer(target: Path, files: Iterable[tuple[str, Path]], links: Mapping[str, str] | None = None) -> Layer:
    """Write a layer of `(path in the image, file)`, all owned by root and world-readable, sorted, without times."""
    draft = target.with_suffix(".draft")
    folders: set[str] = set()
    with tarfile.open(draft, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, source in sorted(files):
            _add_folders(archive, name, folders)
            entry = tarfile.TarInfo(name)
            content = source.read_bytes()
            entry.size = len(content)
            entry.mode = 0o755 if source.stat().st_mode & 0o100 else 0o644
            archive.addfile(entry, io.BytesIO(content))
        for name, aim in sorted((links or {}).items()):
            _add_folders(archive, name, folders)
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, aim
            archive.addfile(entry)
    draft.replace(target)
    return read_layer(target)


def _add_folders(archive: tarfile.TarFile, name: str, known: set[str]) -> None:
    parts = name.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        folder = "/".join(parts[:depth])
        if folder not in known:
            known.add(folder)
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)


def _blob(document: Mapping[str, Any]) -> tuple[str, bytes]:
    content = json.dumps(document, sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest(), content


def _config(config: ImageConfig, layers: Sequence[Layer]) -> tuple[str, bytes]:
    inner: dict[str, Any] = {
        "User": config.user,
        "WorkingDir": config.folder,
        "Env": [f"{name}={value}" for name, value in config.environment.items()],
    }
    if config.entrypoint:
        inner["Entrypoint"] = list(config.entrypoint)
    if config.command:
        inner["Cmd"] = list(config.command)
    return _blob(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": inner,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
        }
    )


def write_archive(
    target: Path, reference: str, config: ImageConfig, layers: Sequence[Layer], carried: Sequence[Layer] | None = None
) -> Path:
    """Write an OCI archive under the full name `reference`; layers not in `carried` must be known to the importer."""
    config_digest, config_bytes = _config(config, layers)
    described = [{"mediaType": _LAYER, "digest": f"sha256:{one.digest}", "size": one.size} for one in layers]
    configured = {"mediaType": _CONFIG, "digest": f"sha256:{config_digest}", "size": len(config_bytes)}
    digest, manifest = _blob({"schemaVersion": 2, "mediaType": _MANIFEST, "config": configured, "layers": described})
    entry = {
        "mediaType": _MANIFEST,
        "digest": f"sha256:{digest}",
        "size": len(manifest),
        "annotations": {"io.containerd.image.name": reference},
        "platform": {"architecture": "amd64", "os": "linux"},
    }
    index = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".draft")
    with tarfile.open(draft, "w") as archive:
        _add_bytes(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _add_bytes(archive, "index.json", index)
        _add_bytes(archive, f"blobs/sha256/{config_digest}", config_bytes)
        _add_bytes(archive, f"blobs/sha256/{digest}", manifest)
        for layer in layers if carried is None else carried:
            archive.add(layer.path, f"blobs/sha256/{layer.digest}")
    draft.replace(target)
    return target


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
