"""`MarketFeed.process_data` of the official `dhanhq`. It reads the first packet of a message."""

from decimal import Decimal

from dhanhq import DhanContext, MarketFeed
from rounds import serve

feed = MarketFeed(DhanContext("1000000001", "token"), [], "v2")


def prices(frame: bytes) -> list[tuple[int, int]]:
    tick = feed.process_data(frame)
    return [(tick["exchange_segment"] << 32 | tick["security_id"], int(Decimal(tick["LTP"]) * 10_000))]


serve(feed.process_data, prices)
