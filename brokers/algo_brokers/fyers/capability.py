"""What Fyers can do, as far as it is documented. `sources` says where each value comes from."""

from typing import Final

from algo_crds.contracts.orders import Product
from algo_crds.contracts.wire import Capability

from algo_brokers.facts import BrokerFacts, Evidence, FeedFacts, LastingTriggers, QuantityMeaning, stops_everywhere
from algo_brokers.fyers import limits

CAPABILITY: Final = Capability(
    broker="fyers",
    convert_stop_to_exit=True,
    modify_quantity_is_total=False,
    has_trigger_status=False,
    max_modifications=25,
    visibility_delay_ms=10_000,
    read_by_tag=True,
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
        note="sends a limit order; leg 1 above and leg 2 below the last price; the row does not say which leg fired",
    ),
    feed=FeedFacts(
        connections=1,
        instruments=limits.TOKENS_PER_CONNECTION,
        order_updates="own socket",
        heartbeat="ours every 10 s; market socket silent about it, order socket answers pong",
    ),
    login="broker's page, then a hash of app id and secret; or a token that the trader made",
    session_lives="until the token's own exp, early on the next morning; no renewal since April 2026",
    registered_address="order calls refused (text not published); reads and sockets work from anywhere",
    tag="30 letters and digits; look-up by tag, which may find several orders",
    sources={
        "conversion": "docs v3, modify order: type, limitPrice and stopPrice may be changed on a live order",
        "modify_quantity": "not documented; until it is, or is proven, a partly filled sell is never modified",
        "max_modifications": "not published; the lowest number that another broker publishes",
        "max_trigger_gap_bp": "no published distance between stop price and limit",
        "has_trigger_status": "docs v3: status 6 is an open order and a waiting stop alike",
        "visibility_delay_ms": "docs v3, code 201: look in the book for some seconds before anything is sent again",
        "stops": "docs v3, order types: type 4 in every segment and product",
        "triggers": "docs v3, GTT; field notes of August 2026",
        "connections": "not documented; one for each token is safe",
        "read_by_tag": "docs v3, orders: filter order_tag",
    },
)
