"""The page that shows every case at every broker, from the results of a run."""

from collections.abc import Mapping
from typing import Final

from algo_brokers.registry import ADAPTERS

HEAD: Final = """# What every broker must do alike

Printed from a run of the matrix (`make broker-cases`): our adapters against the simulated brokers, through the port
alone. That the simulated brokers speak each broker's own protocol is shown by the official SDKs
(`simulator/conformance`).
"""
MARKS: Final = {"passed": "yes", "failed": "**no**"}


def page(results: Mapping[tuple[str, str], str]) -> str | None:
    """The page, or None when the run did not cover the whole matrix. `results`: outcome by (case, broker)."""
    import cases_feed  # noqa: F401
    import cases_market  # noqa: F401
    import cases_orders  # noqa: F401
    import cases_quantity  # noqa: F401
    import cases_session  # noqa: F401
    import cases_triggers  # noqa: F401
    from case import CASES

    brokers = sorted(ADAPTERS)
    wanted = {(number, broker) for number, case in CASES.items() for broker in brokers if broker not in case.exempt}
    if set(results) != wanted:
        return None
    lines = [HEAD, f"| case | | {' | '.join(brokers)} |", f"|---|---|{'---|' * len(brokers)}"]
    notes: list[str] = []
    for number, case in sorted(CASES.items()):
        cells = []
        for broker in brokers:
            if broker in case.exempt:
                notes.append(f"- {number} {broker}: {case.exempt[broker]}")
                cells.append("–")
            else:
                cells.append(MARKS[results[number, broker]])
        lines.append(f"| {number} | {case.title} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", "## Not at this broker", "", *notes]) + "\n"
