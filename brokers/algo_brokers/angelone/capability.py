"""What Angel One can do, as far as it is documented. `sources` says where each value comes from."""

from typing import Final

from algo_crds.contracts.orders import Product
from algo_crds.contracts.wire import Capability

from algo_brokers.angelone import gtt, limits
from algo_brokers.facts import BrokerFacts, Evidence, FeedFacts, LastingTriggers, QuantityMeaning, stops_everywhere

CAPABILITY: Final = Capability(
    broker="angelone",
    convert_stop_to_exit=False,
    modify_quantity_is_total=False,
    has_trigger_status=True,
    max_modifications=25,
    visibility_delay_ms=5_000,
    read_by_tag=False,
    max_trigger_gap_bp=500,
    intraday=True,
    delivery=True,
    short=True,
)

FACTS: Final = BrokerFacts(
    capability=CAPABILITY,
    stops=stops_everywhere(Evidence.DOCUMENTED, "for the day"),
    conversion=Evidence.NO,
    modify_quantity=QuantityMeaning.TOTAL,
    modify_quantity_evidence=Evidence.ASSUMED,
    triggers=LastingTriggers(
        single=True,
        two_legs=True,
        products=(Product.DELIVERY,),
        lives_days=gtt.LIVES_DAYS,
        note="NSE and BSE shares only; sends a limit order without a tag; two legs cannot be changed, only made anew",
    ),
    feed=FeedFacts(
        connections=limits.SOCKETS_PER_CLIENT,
        instruments=limits.TOKENS_PER_SESSION,
        order_updates="own socket",
        heartbeat="we send the text ping every 10 s, the server answers pong",
    ),
    login="PIN and one-time password, or the broker's page; renewed by a refresh token",
    session_lives="until 00:00, or the token's own exp if earlier",
    registered_address="order and GTT calls refused with AG7002; reads, login and sockets work from anywhere",
    tag="19 letters and digits, not made unique by the broker; no look-up: the book is read and filtered",
    sources={
        "conversion": "docs, Orders: STOPLOSS_LIMIT belongs to the variety STOPLOSS, and a change keeps the variety; a "
        "LIMIT of that variety is nowhere documented, so a stop is cancelled and the exit placed anew",
        "has_trigger_status": "docs, WebSocket Order Status: AB10 trigger pending",
        "max_modifications": "no cap is published; the smallest that another broker publishes",
        "max_trigger_gap_bp": "forum 4703 and 5280: the gap is refused beyond the exchange's permissible range, a few "
        "percent; not published",
        "modify_quantity": "docs, Orders: the complete new state is sent, not whether that is the total; forum 4839 "
        "speaks of the remaining quantity; so a partly filled sell is never modified",
        "read_by_tag": "docs, Orders: there is no look-up by ordertag",
        "registered_address": "the broker's article on API access from April 2026; forum 5524",
        "session_lives": "sources disagree (00:00, 05:00, 24 to 28 hours); the strictest",
        "stops": "docs, Orders: variety STOPLOSS with STOPLOSS_LIMIT in all segments, duration DAY",
        "tag": "forum: AB4008, ordertag shorter than 20 characters",
        "triggers": "docs, GTT; two legs from forum 4832, 5140 and 5155",
        "visibility_delay_ms": "forum: allow one or two seconds; more than doubled, because nothing is promised",
    },
)
