"""Each adapter answers every rule of the template, and has the template's files."""

import re
from pathlib import Path

import pytest
import yaml

ADAPTERS = Path(__file__).parent.parent / "algo_brokers"
TEMPLATE = (ADAPTERS / "_template" / "README.md").read_text()
RULES = set(re.findall(r"\*\*([a-z-]+(?:, [a-z-]+)*)\*\*", TEMPLATE))
NAMES = {name for rule in RULES for name in rule.split(", ")}
FILES = set(re.findall(r"^\| `(\w+\.\w+)`", TEMPLATE, re.MULTILINE))
CLOSED = {
    "pure-builders",
    "pure-parsers",
    "own-file-branch-coverage",
    "arbitrary-bytes",
    "no-write-retry",
    "secrets-never-shown",
    "unknown-status-is-pending",
    "documented-errors-mapped",
    "published-test-vectors",
    "order-socket",
    "lasting-trigger-orders",
    "live-account-proof",
}
"""A rule is added here and in the template together, so that none is lost by a slip of the pen."""
BROKERS = sorted(path.parent.name for path in ADAPTERS.glob("*/quality.yaml"))


def test_the_template_names_rules_and_files() -> None:
    assert NAMES == CLOSED
    assert {"requests.py", "responses.py", "adapter.py"} <= FILES
    assert {"paper", "zerodha"} <= set(BROKERS)


@pytest.mark.parametrize("broker", BROKERS)
def test_every_rule_is_answered(broker: str) -> None:
    quality = yaml.safe_load((ADAPTERS / broker / "quality.yaml").read_text())
    assert quality["broker"] == broker
    assert set(quality["rules"]) == NAMES
    for rule, state in quality["rules"].items():
        if state != "done":
            assert state["status"] in {"todo", "exempt"}, rule
            assert state["reason"], rule


@pytest.mark.parametrize("broker", [name for name in BROKERS if name != "paper"])
def test_the_same_file_names(broker: str) -> None:
    assert {path.name for path in (ADAPTERS / broker).iterdir()} >= FILES
