"""What Zerodha can do, as far as it is documented. Each value says where it comes from."""

from typing import Final

from algo_crds.contracts.orders import Product
from algo_crds.contracts.wire import Capability

from algo_brokers.facts import BrokerFacts, Evidence, FeedFacts, LastingTriggers, QuantityMeaning, stops_everywhere
from algo_brokers.zerodha import limits

CAPABILITY: Final = Capability(
    broker="zerodha",
    convert_stop_to_exit=True,
    modify_quantity_is_total=False,
    has_trigger_status=True,
    max_modifications=25,
    visibility_delay_ms=10_000,
    read_by_tag=False,
    max_trigger_gap_bp=1_000,
    intraday=True,
    delivery=True,
    short=True,
)

FACTS: Final = BrokerFacts(
    capability=CAPABILITY,
    stops=stops_everywhere(Evidence.DOCUMENTED, "for the day"),
    conversion=Evidence.DOCUMENTED,
    modify_quantity=QuantityMeaning.TOTAL,
    modify_quantity_evidence=Evidence.ASSUMED,
    triggers=LastingTriggers(
        single=True,
        two_legs=True,
        products=(Product.DELIVERY,),
        lives_days=365,
        note="sends a limit order of the day; may not fill on a gap",
    ),
    feed=FeedFacts(
        connections=3,
        instruments=limits.TOKENS_PER_CONNECTION,
        order_updates="market socket",
        heartbeat="one byte, every couple of seconds",
    ),
    login="broker's page, then a checksum of key, token and secret",
    session_lives="until 06:00 of the next day",
    registered_address="order calls refused with 403 PermissionException; reads work from anywhere",
    tag="20 letters and digits; no look-up: the book is read and filtered",
    sources={
        "conversion": "Kite Connect docs, orders: order_type, price and trigger_price may be changed on a live order",
        "max_modifications": "Kite Connect docs, exceptions: 25 modifications an order",
        "max_trigger_gap_bp": "no published distance between trigger and limit outside option price protection",
        "modify_quantity": "not documented; until it is, or is proven, a partly filled sell is never modified",
        "triggers": "Kite Connect docs, GTT",
        "visibility_delay_ms": "staff: allow several seconds for an order to appear in the book",
    },
)
