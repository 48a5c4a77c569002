"""The suites of `make test`: their commands, what each needs, and which must run alone."""

import sys
from dataclasses import dataclass, field

PACKAGES = ("crds", "market", "brokers", "kube", "runner", "gateway", "operator", "api", "simulator", "local")


@dataclass(frozen=True)
class Suite:
    """One suite. `needs` name suites that must have passed; `alone` suites run with nothing beside them."""

    name: str
    title: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    alone: bool = False
    environment: dict[str, str] = field(default_factory=dict)


def _pytest(*arguments: str) -> tuple[str, ...]:
    # A cache of its own, so that a second run knows what failed whatever ran beside it.
    cache = ".state/suites/cache-" + "-".join(arguments[0].split("/"))
    return (sys.executable, "-m", "pytest", "-q", "-o", f"cache_dir={cache}", *arguments)


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)


SUITES: tuple[Suite, ...] = (
    Suite("packages", "Debian packages that are missing", _python("-m", "algo_local.packages")),
    Suite("build", "Kubernetes, etcd, CoreDNS, Helm from Go modules", _python("-m", "algo_local.build")),
    # Longest first, so that no lane is left with a long one when the others have run out of work.
    Suite("api", "HTTP API over PostgreSQL, Redis, API server", _pytest("api/tests"), needs=("packages", "build")),
    Suite("operator", "reconcile against the API server", _pytest("operator/tests"), needs=("packages", "build")),
    Suite(
        "resources",
        "custom resources, Kubernetes client and chart against the API server",
        _pytest("crds/tests", "kube/tests", "charts/tests"),
        needs=("packages", "build"),
    ),
    Suite("engine", "the strategy engine: invariants and sections", _pytest("runner/tests/engine")),
    Suite("market", "sessions, readers, tick checks, matching", _pytest("market/tests")),
    Suite(
        "brokers",
        "adapters: builders, parsers, decoders, each with all its branches",
        _pytest("brokers/tests", "--cov", "--cov-config=brokers/coverage.ini", "--cov-report=term-missing"),
    ),
    Suite("matrix", "every adapter against its simulated broker, case by case", _pytest("tests/brokers")),
    Suite("simulator", "worlds, matching, clock, Zerodha protocol", _pytest("simulator/tests")),
    Suite("sdk", "the official SDKs against the simulator", _pytest("simulator/conformance")),
    Suite("gateway", "the order door, feed, rows", _pytest("gateway/tests"), needs=("packages",)),
    Suite("runner", "the runner's shell over real Redis", _pytest("runner/tests/shell"), needs=("packages",)),
    Suite(
        "lint",
        "format, lint, import contracts, sizes, secrets, generated files",
        (
            "bash",
            "-ec",
            "ruff format --check . && ruff check . && lint-imports && python scripts/check_sizes.py"
            " && python scripts/check_secrets.py && python scripts/broker_table.py --check"
            " && python -m algo_crds.generate --check",
        ),
    ),
    Suite(
        "types",
        "mypy --strict",
        _python("-m", "mypy", *(f"{package}/algo_{package}" for package in PACKAGES), "scripts"),
    ),
    Suite("tooling", "the algo command and the checks", _pytest("local/tests", "tests/tooling", "-m", "not cluster")),
    Suite(
        "native",
        "the native cluster: from any state up, down to nothing",
        _pytest("local/tests", "-m", "cluster"),
        needs=("packages", "build"),
        alone=True,
    ),
    Suite(
        "cluster",
        "the main job on the real cluster: sessions, faults, kills",
        _pytest("tests/cluster", "-n", "3", "--dist", "worksteal"),  # they wait for pods and markets, not for the CPU
        needs=("packages", "build"),
        alone=True,
    ),
)
