"""Where things live: sources in the tree, compiled parts in a cache, clusters in a state folder.

Nothing is ever written into the work tree, so `git status` stays clean whatever the cluster does, and removing the
state folder removes the cluster.
"""

from __future__ import annotations

import os
from pathlib import Path


def repository_root() -> Path:
    """Return the root of the source tree this package was installed from (an editable member of the workspace)."""
    return Path(__file__).resolve().parents[2]


def native_sources() -> Path:
    """Return the folder with the pinned Go modules of the cluster's components."""
    return repository_root() / "local" / "native"


def cache_dir() -> Path:
    """Return the cache of compiled binaries and images: `ALGO_CACHE_DIR`, else `~/.cache/algo-trading`."""
    configured = os.environ.get("ALGO_CACHE_DIR")
    return Path(configured) if configured else Path.home() / ".cache" / "algo-trading"


def state_root() -> Path:
    """Return the folder that holds one sub-folder per instance: `ALGO_STATE_DIR`, else `/var/lib/algo-trading`."""
    configured = os.environ.get("ALGO_STATE_DIR")
    return Path(configured) if configured else Path("/var/lib/algo-trading")
