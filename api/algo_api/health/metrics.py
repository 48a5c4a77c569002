"""Metrics for Prometheus. Labels are operations and status codes: never an id, so their number stays small."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

REQUESTS: Final = Counter("algo_api_requests_total", "Requests answered.", ("method", "operation", "status"))
SECONDS: Final = Histogram(
    "algo_api_request_seconds",
    "Time to the first byte of the answer, in seconds.",
    ("method", "operation"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
OPEN_STREAMS: Final = Gauge("algo_api_open_streams", "Event streams that are open.")
PROJECTED: Final = Counter("algo_api_projected_total", "Resources written into rows.", ("kind", "change"))
PROJECTION_LEADER: Final = Gauge("algo_api_projection_leader", "1 if this process runs projection and recorder.")
LISTED: Final = Gauge("algo_api_instruments_listed", "Lines of a broker's list, last read.", ("broker", "exchange"))
LOADED_AT: Final = Gauge("algo_api_instruments_loaded_at_seconds", "When instruments were loaded last.", ("exchange",))
LIST_TROUBLE: Final = Counter(
    "algo_api_instrument_list_trouble_total", "Lists of instruments that were not read.", ("broker", "exchange")
)
DISAGREEMENTS: Final = Gauge(
    "algo_api_instrument_disagreements", "Facts that brokers say differently, last load.", ("exchange",)
)
RECORDED: Final = Counter("algo_api_recorded_events_total", "Events moved into the ledger.")
