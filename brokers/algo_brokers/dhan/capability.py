"""What Dhan can do, as far as it is documented. Each value says where it comes from."""

from typing import Final

from algo_crds.contracts.orders import Product
from algo_crds.contracts.wire import Capability

from algo_brokers.dhan import limits
from algo_brokers.facts import BrokerFacts, Evidence, FeedFacts, LastingTriggers, QuantityMeaning, stops_everywhere

CAPABILITY: Final = Capability(
    broker="dhan",
    convert_stop_to_exit=True,
    modify_quantity_is_total=True,
    has_trigger_status=False,
    max_modifications=limits.MODIFICATIONS_PER_ORDER,
    visibility_delay_ms=5_000,
    read_by_tag=True,
    max_trigger_gap_bp=1_000,
    intraday=True,
    delivery=True,
    short=True,
)

FACTS: Final = BrokerFacts(
    capability=CAPABILITY,
    stops=stops_everywhere(Evidence.DOCUMENTED, "STOP_LOSS, for the day"),
    conversion=Evidence.DOCUMENTED,
    modify_quantity=QuantityMeaning.TOTAL,
    modify_quantity_evidence=Evidence.DOCUMENTED,
    triggers=LastingTriggers(
        single=True,
        two_legs=True,
        products=(Product.DELIVERY,),
        lives_days=0,
        note="forever order; NSE and BSE shares, futures and options; sends a limit order of the day",
    ),
    feed=FeedFacts(
        connections=limits.CONNECTIONS,
        instruments=limits.INSTRUMENTS_PER_CONNECTION,
        order_updates="own socket",
        heartbeat="WebSocket ping every 10 s; closed after 40 s without a pong",
    ),
    login="broker's page (consent, no state), PIN and one-time password, or a pasted token",
    session_lives="24 hours from when the token was made; a newer token ends it at once",
    registered_address="order calls refused with DH-911; reads and prices work from anywhere",
    tag="25 letters, digits, _ and -; look-up by it, uniqueness not promised",
    sources={
        "conversion": "DhanHQ v2 docs, order modification: orderType, price and triggerPrice may be changed",
        "has_trigger_status": "DhanHQ v2 docs, order status: a resting stop is PENDING like an open order",
        "max_modifications": "DhanHQ v2 docs, introduction: 25 modifications an order",
        "max_trigger_gap_bp": "no published distance between trigger and limit",
        "modify_quantity": "DhanHQ v2 docs, releases: the quantity placed, not the quantity pending",
        "stops": "DhanHQ v2 docs, orders; STOP_LOSS_MARKET is not used: since market price protection it fills at once"
        " or is refused",
        "tag": "documented are 30 characters; measured: 26 and more are refused",
        "triggers": "DhanHQ v2 docs, forever order; MARGIN for derivatives by field reports; no stated end of life",
        "visibility_delay_ms": "field reports: the book lags the answer by some 100 ms; kept long to be safe",
    },
)
