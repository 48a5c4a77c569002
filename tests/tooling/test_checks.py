"""The scripts that hold the house rules find what they must find, and nothing else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import check_secrets  # noqa: E402 - the scripts are no package
import check_sizes  # noqa: E402
import run_suites  # noqa: E402
import suites  # noqa: E402


def test_a_file_over_400_lines_is_named() -> None:
    assert list(check_sizes.violations(Path("long.py"), "x = 1\n" * 401)) == [
        "long.py: 401 lines; split it by reason to change (limit 400)"
    ]


def test_a_function_over_60_lines_is_named() -> None:
    text = "def long():\n" + "    x = 1\n" * 60
    assert list(check_sizes.violations(Path("f.py"), text)) == ["f.py:1: long has 61 lines (limit 60)"]


def test_a_file_within_the_limits_passes() -> None:
    assert not list(check_sizes.violations(Path("f.py"), "def short():\n" + "    x = 1\n" * 59))


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----\n" + "MC4CAQAwBQYDK2VwBCIEIB" + "A" * 20,
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "password = '" + "s" * 40 + "'",
        "path: /home/" + "someone/project",
    ],
)
def test_a_secret_or_machine_path_is_found(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.py"
    path.write_text(f"first = 1\n{text}\n")
    found = check_secrets.findings(path)
    assert len(found) == 1
    assert ":2: " in found[0]


def test_words_about_secrets_are_no_secrets(tmp_path: Path) -> None:
    path = tmp_path / "settings.py"
    path.write_text("password = os.environ['PASSWORD']  # see /var/run/algo/redis/password\n")
    assert check_secrets.findings(path) == []


def test_pytest_closing_lines_are_added_up() -> None:
    log = "..\n2 passed in 0.10s\n1 failed, 3 passed, 1 error in 2.00s\n"
    assert run_suites.counts_of(log) == {"passed": 5, "failed": 2, "skipped": 0}


def test_every_need_of_a_suite_is_a_suite_before_it() -> None:
    seen: set[str] = set()
    for suite in suites.SUITES:
        assert set(suite.needs) <= seen
        seen.add(suite.name)


def test_every_test_file_belongs_to_a_suite() -> None:
    """A test that no suite runs would be skipped in silence."""
    roots = [
        argument
        for suite in suites.SUITES
        for argument in suite.command
        if argument.endswith(("tests", "conformance")) or "/tests/" in argument or argument.startswith("tests/")
    ]
    names = subprocess.run(
        ["git", "ls-files", "*test_*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert [name for name in names if not any(name.startswith(f"{root}/") for root in roots)] == []


def test_without_recorded_data_its_tests_are_left_out_and_a_line_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "market/tests/test_readers.py"],
        cwd=ROOT,
        env={**os.environ, "ALGO_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "3 tests of recordings left out; set ALGO_DATA_DIR" in done.stdout


def test_every_path_of_the_concept_map_exists() -> None:
    rows = [line for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines() if line.startswith("| ")]
    named = [path for row in rows for path in re.findall(r"`([a-z_]+/[\w./-]+)`", row)]
    assert len(named) > 40
    assert [path for path in named if not (ROOT / path).exists()] == []
