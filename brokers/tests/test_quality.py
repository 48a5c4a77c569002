"""Each adapter answers every rule of the template, and has the template's files."""

import importlib
import re
import shutil
from pathlib import Path

import algo_brokers
import pytest
import yaml
from algo_brokers.adapter_parts import AdapterParts
from algo_brokers.http import HttpAnswer, HttpRequest
from algo_brokers.records import InstrumentRef, OrderRef
from algo_brokers.session import Session
from algo_crds.contracts.orders import Leg, Product

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


async def test_a_copy_of_the_template_is_an_adapter_that_sends_nothing_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ADAPTERS / "_template", tmp_path / "newbroker", ignore=shutil.ignore_patterns("__pycache__"))
    for path in (tmp_path / "newbroker").glob("*.py"):
        path.write_text(path.read_text().replace("_template", "newbroker"))
    monkeypatch.setattr(algo_brokers, "__path__", [*algo_brokers.__path__, str(tmp_path)])
    adapter = importlib.import_module("algo_brokers.newbroker")
    sent: list[HttpRequest] = []

    async def send(request: HttpRequest, timeout_s: float = 0) -> HttpAnswer:
        sent.append(request)
        raise AssertionError

    held = Session(broker="newbroker", client_id="C", api_key="k", access_token="t", login_time=0, valid_until=1 << 50)
    broker = adapter.create_broker(
        AdapterParts(
            transport=lambda _base: send,
            write=send,
            current=lambda: held,
            now=lambda: 0,
            endpoints=adapter.simulated("http://127.0.0.1:9"),
        )
    )
    ref = InstrumentRef(exchange="NSE", symbol="RELIANCE")
    order = OrderRef(broker_order_id="1", tag="t", instrument=ref, product=Product.INTRADAY, leg=Leg.STOP)
    for call in (broker.cancel(order=order), broker.read_book(begun_at=0), broker.read_quotes(instruments=(ref,))):
        with pytest.raises(NotImplementedError):
            await call
    assert sent == []
    offered = broker.capability
    assert (offered.broker, offered.intraday, offered.delivery, offered.short) == ("newbroker", False, False, False)
