"""What the broker can do. Nothing is known of a copy, so everything says no, and no strategy may trade over it."""

from typing import Final

from algo_crds.contracts.wire import Capability

from algo_brokers._template import limits
from algo_brokers.facts import BrokerFacts, Evidence, FeedFacts, QuantityMeaning, stops_everywhere

CAPABILITY: Final = Capability(
    broker="_template",
    convert_stop_to_exit=False,
    modify_quantity_is_total=False,
    has_trigger_status=False,
    max_modifications=1,
    visibility_delay_ms=10_000,
    read_by_tag=False,
    max_trigger_gap_bp=100,
    intraday=False,
    delivery=False,
    short=False,
)

FACTS: Final = BrokerFacts(
    capability=CAPABILITY,
    stops=stops_everywhere(Evidence.NO, "not known"),
    conversion=Evidence.NO,
    modify_quantity=QuantityMeaning.TOTAL,
    modify_quantity_evidence=Evidence.ASSUMED,
    triggers=None,
    feed=FeedFacts(
        connections=1, instruments=limits.TOKENS_PER_CONNECTION, order_updates="not known", heartbeat="not known"
    ),
    login="not known",
    session_lives="not known",
    registered_address="not known",
    tag="not known",
    sources={},
)
