"""The chart as Helm renders it, and a real API server to judge what was rendered."""

import functools
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from algo_local.binaries import ensure_binary
from algo_local.controlplane import ApiServer, start_apiserver

CHARTS = Path(__file__).parent.parent
CHART = CHARTS / "algo-trading"
NAMESPACE = "algo-system"
Manifest = dict[str, Any]
Render = Callable[..., list[Manifest]]
Helm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def helm() -> Helm:
    binary = str(ensure_binary("helm"))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=120)

    return run


@pytest.fixture(scope="session")
def render(helm: Helm) -> Render:
    """Manifests of `helm template` with more arguments."""

    @functools.cache
    def text(*arguments: str) -> str:
        done = helm("template", "algo", str(CHART), "-n", NAMESPACE, "--kube-version", "1.35.4", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(*arguments: str) -> list[Manifest]:
        return [manifest for manifest in yaml.safe_load_all(text(*arguments)) if manifest]

    return run


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = start_apiserver(tmp_path_factory.mktemp("apiserver"))
    yield server
    server.stop()
