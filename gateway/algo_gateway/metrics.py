"""The gateway's numbers for Prometheus, read from the parts at each scrape: the hot path counts nothing for them."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

Reading = Callable[[], Mapping[str, float]]


class _Numbers(Collector):
    def __init__(self, account: str, read: Reading) -> None:
        self._account = account
        self._read = read

    def collect(self) -> Iterable[Metric]:
        for name, value in self._read().items():
            family = GaugeMetricFamily(f"algo_gateway_{name}", name.replace("_", " "), labels=["account"])
            family.add_metric([self._account], value)
            yield family


def create_metrics(account: str, read: Reading) -> CollectorRegistry:
    """A registry whose values are read at each scrape."""
    registry = CollectorRegistry()
    registry.register(_Numbers(account, read))
    return registry
