"""What the engine is told of a broker agrees with the record that people read, and with the limits in code."""

import pytest
from algo_brokers.facts import Evidence, QuantityMeaning, Segment
from algo_brokers.registry import ADAPTERS
from algo_crds.contracts.orders import Product

BROKERS = sorted(ADAPTERS)
SURE = (Evidence.DOCUMENTED, Evidence.PROVEN)


@pytest.mark.parametrize("broker", BROKERS)
def test_every_segment_and_product_is_answered_and_a_lacking_stop_bars_the_entry(broker: str) -> None:
    facts = ADAPTERS[broker].facts
    answered = [(stop.segment, stop.product) for stop in facts.stops]
    assert sorted(answered) == sorted((segment, product) for segment in Segment for product in Product)
    lacking = {f"{stop.segment}/{stop.product}" for stop in facts.stops if stop.evidence not in SURE}
    assert set(facts.capability.no_stops) == lacking


@pytest.mark.parametrize("broker", BROKERS)
def test_a_stop_becomes_the_exit_only_where_that_is_documented_or_proven(broker: str) -> None:
    facts = ADAPTERS[broker].facts
    assert facts.capability.convert_stop_to_exit is (facts.conversion in SURE)
    assert "conversion" in facts.sources


@pytest.mark.parametrize("broker", BROKERS)
def test_a_quantity_counts_as_the_total_only_where_that_is_documented_or_proven(broker: str) -> None:
    facts = ADAPTERS[broker].facts
    known = facts.modify_quantity is QuantityMeaning.TOTAL and facts.modify_quantity_evidence in SURE
    assert facts.capability.modify_quantity_is_total is known


@pytest.mark.parametrize("broker", BROKERS)
def test_what_is_only_assumed_says_so(broker: str) -> None:
    facts = ADAPTERS[broker].facts
    assert "modify_quantity" in facts.sources
    assert "max_modifications" in facts.sources
    assert 0 < facts.capability.max_modifications <= 25


@pytest.mark.parametrize("broker", BROKERS)
def test_the_engine_gets_the_record_of_its_broker(broker: str) -> None:
    adapter = ADAPTERS[broker]
    assert adapter.capability == adapter.facts.capability
    assert adapter.capability.broker == broker
