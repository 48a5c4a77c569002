"""Prints what each broker can do, from the records in code, into docs/brokers.md; `--check` fails when it differs."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from algo_brokers.facts import BrokerFacts, Evidence, Segment
from algo_brokers.registry import ADAPTERS
from algo_crds.contracts.orders import Product

TARGET: Final = Path(__file__).resolve().parent.parent / "docs" / "brokers.md"
HEAD: Final = """# What each broker can do

Made by `scripts/broker_table.py` from `brokers/algo_brokers/<broker>/capability.py`; change it there.
*documented*: the broker says so. *assumed*: the working assumption, nothing is built on it alone. *proven*: seen on a
live account. An engine refuses a strategy that needs what its broker lacks.
"""


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _stop(facts: BrokerFacts, segment: Segment, product: Product) -> str:
    for stop in facts.stops:
        if stop.segment is segment and stop.product is product:
            return f"{stop.evidence}{f' ({stop.note})' if stop.note else ''}"
    return Evidence.NO


def _triggers(facts: BrokerFacts) -> str:
    triggers = facts.triggers
    if triggers is None:
        return "no"
    legs = " and two legs" if triggers.two_legs else ""
    products = ", ".join(triggers.products)
    lives = f", {triggers.lives_days} days" if triggers.lives_days else ""
    return f"single{legs}; {products}{lives}{f'; {triggers.note}' if triggers.note else ''}"


Row = tuple[str, Callable[[BrokerFacts], str]]
ROWS: Final[list[Row]] = [
    *(
        (f"stop-limit rests: {segment}, {product}", lambda f, s=segment, p=product: _stop(f, s, p))
        for segment in Segment
        for product in Product
    ),
    ("stop becomes the exit by a change", lambda f: f.conversion),
    ("quantity of a change", lambda f: f"{f.modify_quantity} ({f.modify_quantity_evidence})"),
    ("changes an order", lambda f: str(f.capability.max_modifications)),
    ("status of a waiting stop", lambda f: _yes(f.capability.has_trigger_status)),
    ("trigger to limit, at most", lambda f: f"{f.capability.max_trigger_gap_bp / 100:g} %"),
    ("an order shows in the book within", lambda f: f"{f.capability.visibility_delay_ms / 1000:g} s"),
    ("tag", lambda f: f.tag),
    ("look-up by tag", lambda f: _yes(f.capability.read_by_tag)),
    ("short sales", lambda f: _yes(f.capability.short)),
    ("lasting triggers", _triggers),
    ("market connections", lambda f: str(f.feed.connections)),
    ("instruments a connection", lambda f: str(f.feed.instruments)),
    ("order updates", lambda f: f.feed.order_updates),
    ("heartbeat", lambda f: f.feed.heartbeat),
    ("login", lambda f: f.login),
    ("session", lambda f: f.session_lives),
    ("order calls from another address", lambda f: f.registered_address),
]


def table() -> str:
    """The page."""
    names = sorted(ADAPTERS)
    lines = [HEAD, f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for title, cell in ROWS:
        cells = " | ".join(cell(ADAPTERS[name].facts).replace("|", "\\|") for name in names)
        lines.append(f"| {title} | {cells} |")
    lines.append("\n## Where the values come from\n")
    for name in names:
        lines += [f"**{name}**\n"]
        lines += [f"- `{field}`: {source}" for field, source in sorted(ADAPTERS[name].facts.sources.items())]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the page, or say that it differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page differs")
    arguments = parser.parse_args()
    text = table()
    if arguments.check:
        if not TARGET.exists() or TARGET.read_text() != text:
            sys.stderr.write("docs/brokers.md differs from the records: run `python scripts/broker_table.py`\n")
            return 1
        return 0
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
