"""Every rule of `docs/engine-rules.md` has a test that exists, and every invariant and kind of rule is in the table."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
TABLE = Path(__file__).parents[3] / "docs" / "engine-rules.md"
NODE = re.compile(r"`(test_\w+\.py)::(test_\w+)`")
GROUPS = (
    "Invariants",
    "What is known",
    "Orders and attempts",
    "Protection",
    "Exit",
    "Refusals",
    "Time",
    "Recovery",
    "Faults",
    "Carry and trailing",
)


def table() -> list[tuple[str, str]]:
    """Rule and test of each row, headings of groups included."""
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in rows]
    assert all(len(row) == 2 for row in cells), cells
    return [(rule, test) for rule, test in cells[1:]]


def rules() -> list[tuple[str, str]]:
    return [(rule, test) for rule, test in table() if not rule.startswith("**")]


@cache
def defined_in(name: str) -> frozenset[str]:
    """The tests that a file defines, without running it."""
    tree = ast.parse((HERE / name).read_text())
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def all_tests() -> Iterator[str]:
    for path in sorted(HERE.glob("test_*.py")):
        yield from (f"{path.name}::{name}" for name in defined_in(path.name))


def test_every_rule_names_a_test() -> None:
    assert len(rules()) > 60
    assert not [rule for rule, test in rules() if not NODE.search(test)]
    assert len({rule for rule, _ in rules()}) == len(rules()), "a rule stands in the table once"


def test_every_test_of_a_rule_exists() -> None:
    known = set(all_tests())
    named = [f"{file}::{name}" for _, test in rules() for file, name in NODE.findall(test)]
    assert not [node for node in named if node not in known]


def test_all_groups_and_all_eight_invariants_are_in_the_table() -> None:
    assert [rule.strip("*") for rule, _ in table() if rule.startswith("**")] == list(GROUPS)
    numbers = [int(found[1]) for rule, _ in rules() if (found := re.match(r"(\d)\. ", rule))]
    assert numbers == list(range(1, 9))
    for number, test in zip(numbers, (test for _, test in rules()), strict=False):
        assert f"::test_invariant_{number}_" in test


def test_every_test_that_says_never_is_a_rule() -> None:
    """A promise that was tested is told: no test of the engine says "never" beside the table."""
    named = {f"{file}::{name}" for _, test in rules() for file, name in NODE.findall(test)}
    assert not [node for node in all_tests() if "_never_" in node and node not in named and "test_rules.py" not in node]
