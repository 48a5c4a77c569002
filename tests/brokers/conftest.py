"""The desk and the cases are modules beside this file. A run of the whole matrix is compared with docs/broker-cases.md;
`ALGO_WRITE_CASES=1` writes the page instead."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import case_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "broker-cases.md"
RESULTS: dict[tuple[str, str], str] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    report = yield
    spec = getattr(item, "callspec", None)
    if spec is not None and "number" in spec.params and (call.when == "call" or report.failed):
        RESULTS[spec.params["number"], spec.params["broker"]] = report.outcome
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write or compare the page after a whole run."""
    text = case_page.page(RESULTS)
    if text is None:
        return
    if os.environ.get("ALGO_WRITE_CASES"):
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line("docs/broker-cases.md differs from these results: run `make broker-cases`", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
